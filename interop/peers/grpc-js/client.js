// gRPC's interoperability client on grpc-js: runs the case that --test_case names, and fails with what it saw.
//
// grpc-js does not show a caller a message's compressed flag: the server_compressed cases check that the responses
// inflate to what was asked for.

'use strict';

const fs = require('node:fs');
const { isDeepStrictEqual, inspect } = require('node:util');
const { setTimeout: sleep } = require('node:timers/promises');
const grpc = require('@grpc/grpc-js');
const flags = require('./flags');
const { TestService, UnimplementedService } = require('./stubs');

const REQUEST_SIZES = [27182, 8, 1828, 45904];
const RESPONSE_SIZES = [31415, 9, 2653, 58979];
const LARGE_REQUEST = 271828;
const LARGE_RESPONSE = 314159;
const INITIAL = ['x-grpc-test-echo-initial', 'test_initial_metadata_value'];
const TRAILING = ['x-grpc-test-echo-trailing-bin', Buffer.from([0xab, 0xab, 0xab])];
const SPECIAL_MESSAGE = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
// grpc-js's flag for a message, which it does not export.
const NO_COMPRESS = 2;
const { UNKNOWN, UNIMPLEMENTED, CANCELLED, DEADLINE_EXCEEDED, INVALID_ARGUMENT } = grpc.status;

// Fails unless `got` is what was `expected`.
function same(what, expected, got) {
  if (!isDeepStrictEqual(expected, got)) {
    throw new Error(`${what}: expected ${inspect(expected)}, got ${inspect(got)}`);
  }
}

// Fails unless the response carries `size` zero bytes.
function bodyOf(what, size, { payload }) {
  same(`${what}, payload size`, size, payload ? payload.body.length : 0);
  same(`${what}, a payload of zeros`, true, payload.body.every((byte) => byte === 0));
}

// Waits for an outcome that must be an error of this code, and returns it.
async function failsWith(what, code, outcome) {
  let answer;
  try {
    answer = await outcome;
  } catch (error) {
    same(`${what}, status code (${error.message})`, code, error.code);
    return error;
  }
  throw new Error(`${what}: expected ${grpc.status[code]}, got an answer: ${inspect(answer).slice(0, 80)}`);
}

const zeros = (size) => ({ body: Buffer.alloc(size) });
const largeRequest = (fields) => ({ response_size: LARGE_RESPONSE, payload: zeros(LARGE_REQUEST), ...fields });
const duplexRequest = (request, response) => ({ response_parameters: [{ size: response }], payload: zeros(request) });
const sum = (numbers) => numbers.reduce((a, b) => a + b);

// Calls a method with one response. `ask` sends what is asked and returns the call; it is given the callback.
function single(ask) {
  return new Promise((resolve, reject) => ask((error, response) => (error ? reject(error) : resolve(response))));
}

const unary = (stub, request, options = {}) => single((done) => stub.UnaryCall(request, options, done));

async function all(call) {
  const responses = [];
  for await (const response of call) responses.push(response);
  return responses;
}

// The response to a request that has just been written; fails if the stream ended instead.
async function next(what, responses) {
  const { value, done } = await responses.next();
  same(`${what}, the end of the responses`, false, done ?? false);
  return value;
}

// What came in front of the responses and behind them; ask before any of it can have arrived.
function metadataOf(call) {
  const initial = new Promise((resolve) => call.on('metadata', resolve));
  const trailing = new Promise((resolve) => call.on('status', (status) => resolve(status.metadata)));
  return Promise.all([initial, trailing]);
}

// A stub's interceptor that says of each message in turn whether it is compressed on a channel that compresses.
function compressedIf(...flags) {
  class Flagging extends grpc.InterceptingCall {
    sendMessageWithContext(context, message) {
      const plain = flags.shift() === false;
      super.sendMessageWithContext(plain ? { ...context, flags: NO_COMPRESS } : context, message);
    }
  }
  return (options, nextCall) => new Flagging(nextCall(options));
}

async function soak(target, newChannelEachTime) {
  const { options } = target;
  const request = { response_size: options.soak_response_size, payload: zeros(options.soak_request_size) };
  const end = Date.now() + options.soak_overall_timeout_seconds * 1000;
  const failures = [];
  let [stub, done] = [target.stub(), 0];
  for (; done < options.soak_iterations && Date.now() < end; done += 1) {
    const start = Date.now();
    if (newChannelEachTime) {
      stub.close();
      stub = target.stub();
    }
    try {
      bodyOf('UnaryCall', options.soak_response_size, await unary(stub, request, { deadline: end }));
    } catch (error) {
      failures.push(`iteration ${done}: ${error.message}`);
    }
    const took = Date.now() - start;
    if (took > options.soak_per_iteration_max_acceptable_latency_ms) failures.push(`iteration ${done}: took ${took} ms`);
    const rest = start + options.soak_min_time_ms_between_rpcs - Date.now();
    if (rest > 0) await sleep(rest);
  }
  stub.close();
  same('soak, iterations within the overall timeout', options.soak_iterations, done);
  if (failures.length > options.soak_max_failures) {
    throw new Error(`soak: expected at most ${options.soak_max_failures} failures, got ${inspect(failures)}`);
  }
}

const CASES = {
  async empty_unary(stub) {
    same('EmptyCall', {}, await single((done) => stub.EmptyCall({}, done)));
  },

  async large_unary(stub) {
    bodyOf('UnaryCall', LARGE_RESPONSE, await unary(stub, largeRequest()));
  },

  async client_streaming(stub) {
    const response = await single((done) => {
      const call = stub.StreamingInputCall(done);
      REQUEST_SIZES.forEach((size) => call.write({ payload: zeros(size) }));
      call.end();
    });
    same('StreamingInputCall, aggregated_payload_size', sum(REQUEST_SIZES), response.aggregated_payload_size);
  },

  async server_streaming(stub) {
    const request = { response_parameters: RESPONSE_SIZES.map((size) => ({ size })) };
    const responses = await all(stub.StreamingOutputCall(request));
    same('StreamingOutputCall, number of responses', RESPONSE_SIZES.length, responses.length);
    responses.forEach((response, i) => bodyOf('StreamingOutputCall', RESPONSE_SIZES[i], response));
  },

  async ping_pong(stub) {
    const call = stub.FullDuplexCall();
    const responses = call[Symbol.asyncIterator]();
    for (const [i, size] of REQUEST_SIZES.entries()) {
      call.write(duplexRequest(size, RESPONSE_SIZES[i]));
      bodyOf('FullDuplexCall', RESPONSE_SIZES[i], await next('FullDuplexCall', responses));
    }
    call.end();
    same('FullDuplexCall, responses after the last', true, (await responses.next()).done);
  },

  async empty_stream(stub) {
    const call = stub.FullDuplexCall();
    call.end();
    same('FullDuplexCall, responses to nothing', [], await all(call));
  },

  async custom_metadata(stub) {
    const sent = new grpc.Metadata();
    [INITIAL, TRAILING].forEach(([key, value]) => sent.set(key, value));
    const check = (what, [initial, trailing]) => {
      same(`${what}, initial metadata`, [INITIAL[1]], initial.get(INITIAL[0]));
      same(`${what}, trailing metadata`, [TRAILING[1]], trailing.get(TRAILING[0]));
    };
    let metadata;
    const response = await single((done) => {
      metadata = metadataOf(stub.UnaryCall(largeRequest(), sent, done));
    });
    bodyOf('UnaryCall', LARGE_RESPONSE, response);
    check('UnaryCall', await metadata);
    const call = stub.FullDuplexCall(sent);
    metadata = metadataOf(call);
    call.end(duplexRequest(LARGE_REQUEST, LARGE_RESPONSE));
    (await all(call)).forEach((response) => bodyOf('FullDuplexCall', LARGE_RESPONSE, response));
    check('FullDuplexCall', await metadata);
  },

  async status_code_and_message(stub) {
    const response_status = { code: UNKNOWN, message: 'test status message' };
    const unaryError = await failsWith('UnaryCall', UNKNOWN, unary(stub, { response_status }));
    same('UnaryCall, status message', response_status.message, unaryError.details);
    const call = stub.FullDuplexCall();
    call.end({ response_status });
    const streamError = await failsWith('FullDuplexCall', UNKNOWN, all(call));
    same('FullDuplexCall, status message', response_status.message, streamError.details);
  },

  async special_status_message(stub) {
    const response_status = { code: UNKNOWN, message: SPECIAL_MESSAGE };
    const error = await failsWith('UnaryCall', UNKNOWN, unary(stub, { response_status }));
    same('UnaryCall, status message', SPECIAL_MESSAGE, error.details);
  },

  async unimplemented_method(stub) {
    await failsWith('UnimplementedCall', UNIMPLEMENTED, single((done) => stub.UnimplementedCall({}, done)));
  },

  async unimplemented_service(_, target) {
    const stub = target.stub({}, UnimplementedService);
    const outcome = single((done) => stub.UnimplementedCall({}, done));
    await failsWith('UnimplementedService.UnimplementedCall', UNIMPLEMENTED, outcome);
    stub.close();
  },

  async cancel_after_begin(stub) {
    const outcome = single((done) => {
      const call = stub.StreamingInputCall(done);
      setImmediate(() => call.cancel());
    });
    await failsWith('StreamingInputCall', CANCELLED, outcome);
  },

  async cancel_after_first_response(stub) {
    const call = stub.FullDuplexCall();
    const responses = call[Symbol.asyncIterator]();
    call.write(duplexRequest(REQUEST_SIZES[0], RESPONSE_SIZES[0]));
    bodyOf('FullDuplexCall', RESPONSE_SIZES[0], await next('FullDuplexCall', responses));
    call.cancel();
    await failsWith('FullDuplexCall', CANCELLED, responses.next());
  },

  async timeout_on_sleeping_server(stub) {
    const call = stub.FullDuplexCall({ deadline: Date.now() + 1 });
    call.write({ payload: zeros(REQUEST_SIZES[0]) });
    await failsWith('FullDuplexCall', DEADLINE_EXCEEDED, all(call));
  },

  async client_compressed_unary(stub, target) {
    const [yes, no] = [true, false].map((value) => largeRequest({ expect_compressed: { value } }));
    await failsWith('UnaryCall, the uncompressed probe', INVALID_ARGUMENT, unary(stub, yes));
    const compressing = target.compressingStub();
    bodyOf('UnaryCall, compressed', LARGE_RESPONSE, await unary(compressing, yes));
    const plain = { interceptors: [compressedIf(false)] };
    bodyOf('UnaryCall, uncompressed', LARGE_RESPONSE, await unary(compressing, no, plain));
    compressing.close();
  },

  async client_compressed_streaming(stub, target) {
    const request = (value, size) => ({ expect_compressed: { value }, payload: zeros(size) });
    const probe = single((done) => stub.StreamingInputCall(done).end(request(true, REQUEST_SIZES[0])));
    await failsWith('StreamingInputCall, the uncompressed probe', INVALID_ARGUMENT, probe);
    const compressing = target.compressingStub();
    const response = await single((done) => {
      const call = compressing.StreamingInputCall({ interceptors: [compressedIf(true, false)] }, done);
      call.write(request(true, REQUEST_SIZES[0]));
      call.end(request(false, REQUEST_SIZES[3]));
    });
    const expected = REQUEST_SIZES[0] + REQUEST_SIZES[3];
    same('StreamingInputCall, aggregated_payload_size', expected, response.aggregated_payload_size);
    compressing.close();
  },

  async server_compressed_unary(stub) {
    for (const value of [true, false]) {
      const response = await unary(stub, largeRequest({ response_compressed: { value } }));
      bodyOf(`UnaryCall, response_compressed ${value}`, LARGE_RESPONSE, response);
    }
  },

  async server_compressed_streaming(stub) {
    const parameters = [[31415, true], [92653, false]].map(([size, value]) => ({ size, compressed: { value } }));
    const responses = await all(stub.StreamingOutputCall({ response_parameters: parameters }));
    same('StreamingOutputCall, number of responses', parameters.length, responses.length);
    responses.forEach((response, i) => bodyOf('StreamingOutputCall', parameters[i].size, response));
  },

  rpc_soak: (_, target) => soak(target, false),

  channel_soak: (_, target) => soak(target, true),
};

// Where the calls go.
class Target {
  constructor(options) {
    this.options = options;
    this.address = `${options.server_host}:${options.server_port}`;
    const roots = options.use_test_ca ? fs.readFileSync(options.ca_file) : null;
    this.credentials = options.use_tls ? grpc.credentials.createSsl(roots) : grpc.credentials.createInsecure();
  }

  // A stub on a connection of its own.
  stub(settings = {}, Service = TestService) {
    const all = { 'grpc.use_local_subchannel_pool': 1, ...settings };
    if (this.options.server_host_override) {
      all['grpc.ssl_target_name_override'] = this.options.server_host_override;
      all['grpc.default_authority'] = this.options.server_host_override;
    }
    return new Service(this.address, this.credentials, all);
  }

  // A stub whose messages are compressed.
  compressingStub() {
    return this.stub({ 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip });
  }
}

async function main() {
  const options = flags.client();
  const name = options.test_case;
  if (!Object.hasOwn(CASES, name)) throw new Error(`no case ${name}; there are ${Object.keys(CASES).join(', ')}`);
  const target = new Target(options);
  const stub = target.stub();
  try {
    await CASES[name](stub, target);
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  } finally {
    stub.close();
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
