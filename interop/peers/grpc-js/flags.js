// The command-line flags of gRPC's interoperability programs, as the client and the server here read them.

'use strict';

const { parseArgs } = require('node:util');

// Reads `--name=value`, `--name value` and, of a boolean, `--name` alone. The type of a default is the type of its flag.
function read(defaults) {
  const options = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' }]));
  const args = process.argv.slice(2).map((arg) => (defaults[arg.slice(2)] === false ? `${arg}=true` : arg));
  const { values } = parseArgs({ args, options });
  return { ...defaults, ...Object.fromEntries(Object.entries(values).map(([name, text]) => [name, typed(name, text)])) };

  function typed(name, text) {
    switch (typeof defaults[name]) {
      case 'boolean':
        if (text !== 'true' && text !== 'false') throw new Error(`--${name}: ${text} is neither true nor false`);
        return text === 'true';
      case 'number':
        if (!/^\d+$/.test(text)) throw new Error(`--${name}: ${text} is no number`);
        return Number(text);
      default:
        return text;
    }
  }
}

exports.client = () =>
  read({
    server_host: 'localhost',
    server_port: 10000,
    server_host_override: '',
    test_case: 'large_unary',
    use_tls: false,
    use_test_ca: false,
    ca_file: '',
    soak_iterations: 10,
    soak_max_failures: 0,
    soak_per_iteration_max_acceptable_latency_ms: 1000,
    soak_overall_timeout_seconds: 10,
    soak_min_time_ms_between_rpcs: 0,
    soak_request_size: 271828,
    soak_response_size: 314159,
  });

exports.server = () => read({ port: 10000, use_tls: false, tls_cert_file: '', tls_key_file: '' });
