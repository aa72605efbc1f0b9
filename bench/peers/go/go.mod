// grpc-go's load-balancing policies, measured as thalweg's are.
module thalweg/bench/peers/go

go 1.26.0

require google.golang.org/grpc v1.85.0

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
