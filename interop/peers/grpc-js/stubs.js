// `grpc.testing` as grpc-js sees it, from the .proto files that everybody's stubs come from.

'use strict';

const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const { loadSync } = require('@grpc/proto-loader');

const definition = loadSync('grpc/testing/test.proto', {
  includeDirs: [path.join(__dirname, '../../../crates/proto/proto')],
  keepCase: true,
  defaults: true,
});

module.exports = grpc.loadPackageDefinition(definition).grpc.testing;
