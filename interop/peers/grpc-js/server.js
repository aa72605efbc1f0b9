// gRPC's interoperability server on grpc-js.
//
// It neither compresses its responses nor refuses a request that only claims to be compressed: grpc-js can do neither.

'use strict';

const fs = require('node:fs');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const grpc = require('@grpc/grpc-js');
const flags = require('./flags');
const { TestService } = require('./stubs');

const INITIAL = 'x-grpc-test-echo-initial';
const TRAILING = 'x-grpc-test-echo-trailing-bin';

// Sends the initial echo key back in front of the response, and returns what is to go behind it.
function echo(call) {
  const [initial, trailing] = [new grpc.Metadata(), new grpc.Metadata()];
  call.metadata.get(INITIAL).forEach((value) => initial.add(INITIAL, value));
  call.metadata.get(TRAILING).forEach((value) => trailing.add(TRAILING, value));
  call.sendMetadata(initial);
  return trailing;
}

// The status a request asks for, as an error; undefined if it asks for none.
function asked({ response_status: status }) {
  return status && status.code !== 0 ? { code: status.code, details: status.message } : undefined;
}

// Sends a response for each of the request's parameters.
async function answer(call, { response_parameters: parameters }) {
  for (const { size, interval_us: interval } of parameters) {
    if (interval > 0) await sleep(interval / 1000);
    if (!call.write({ payload: { body: Buffer.alloc(size) } })) {
      await Promise.race([once(call, 'drain'), once(call, 'cancelled')]);
    }
  }
}

// Hands each request of the stream to `handler`, one after the other.
function forEach(call, handler) {
  return new Promise((resolve, reject) => {
    let handled = Promise.resolve();
    call.on('data', (request) => {
      call.pause();
      handled = handled.then(() => handler(request)).then(() => call.resume(), reject);
    });
    call.on('end', () => handled.then(resolve));
  });
}

// Ends the call with what `handler` finds wrong; a cancelled call has nobody left to tell.
function streaming(handler) {
  return (call) =>
    handler(call).catch((error) => {
      if (!call.cancelled) call.emit('error', error);
    });
}

const handlers = {
  EmptyCall: (call, callback) => callback(null, {}),

  UnaryCall(call, callback) {
    const trailing = echo(call);
    const status = asked(call.request);
    if (status) return callback({ ...status, metadata: trailing });
    return callback(null, { payload: { body: Buffer.alloc(call.request.response_size) } }, trailing);
  },

  CacheableUnaryCall(call, callback) {
    const initial = new grpc.Metadata();
    initial.set('cache-control', 'max-age=60, public');
    call.sendMetadata(initial);
    callback(null, { payload: { body: Buffer.from(String(process.hrtime.bigint())) } });
  },

  StreamingOutputCall: streaming(async (call) => {
    await answer(call, call.request);
    call.end();
  }),

  StreamingInputCall(call, callback) {
    let total = 0;
    call.on('data', ({ payload }) => (total += payload ? payload.body.length : 0));
    call.on('end', () => callback(null, { aggregated_payload_size: total }));
  },

  FullDuplexCall: streaming(async (call) => {
    const trailing = echo(call);
    await forEach(call, async (request) => {
      const status = asked(request);
      if (status) throw { ...status, metadata: trailing };
      await answer(call, request);
    });
    call.end(trailing);
  }),

  HalfDuplexCall: streaming(async (call) => {
    const requests = [];
    await forEach(call, (request) => requests.push(request));
    for (const request of requests) await answer(call, request);
    call.end();
  }),
};

function credentials(options) {
  if (!options.use_tls) return grpc.ServerCredentials.createInsecure();
  const [private_key, cert_chain] = [options.tls_key_file, options.tls_cert_file].map((file) => fs.readFileSync(file));
  return grpc.ServerCredentials.createSsl(null, [{ private_key, cert_chain }]);
}

const options = flags.server();
const server = new grpc.Server();
server.addService(TestService.service, handlers);
server.bindAsync(`0.0.0.0:${options.port}`, credentials(options), (error) => {
  if (error) throw error;
});
process.on('SIGTERM', () => server.forceShutdown());
