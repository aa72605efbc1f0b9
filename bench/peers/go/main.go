// Measures grpc-go's own load-balancing policies through the public balancer API: no connection, no call, only what the
// policy decides. `cargo run --release -p thalweg-bench -- pick --go` builds and starts it; its figures stand beside
// thalweg's.
//
// One run measures one thing and prints one JSON object: figures by the names that thalweg-bench gives them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"syscall"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
)

// How many calls differ in their metadata.
const keys = 1024

// How often an update is measured.
const updates = 21

const method = "/package.Service/Method"

func main() {
	policy := flag.String("policy", "round_robin", "the name of the policy")
	config := flag.String("config", "{}", "its configuration, JSON")
	endpoints := flag.Int("endpoints", 10, "how many endpoints there are")
	work := flag.String("work", "pick", "what is measured: pick, ready or update")
	threads := flag.Int("threads", 1, "how many threads pick at the same time")
	seconds := flag.Float64("seconds", 0.3, "how long picks are measured")
	flag.Parse()
	figures, err := measure(*policy, *config, *endpoints, *work, *threads, time.Duration(*seconds*float64(time.Second)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "grpc-go:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(figures); err != nil {
		fmt.Fprintln(os.Stderr, "grpc-go:", err)
		os.Exit(1)
	}
}

func measure(policy, config string, endpoints int, work string, threads int, window time.Duration) (map[string]float64, error) {
	channel, err := newChannel(policy, config)
	if err != nil {
		return nil, err
	}
	if work == "ready" {
		took, err := rise(channel, endpoints)
		return map[string]float64{"ready_ms": millis(took)}, err
	}
	if err := channel.resolveAndConnect(list(endpoints, 0)); err != nil {
		return nil, err
	}
	calls := contexts()
	picker, err := channel.settle(calls)
	if err != nil {
		return nil, err
	}
	if work == "update" {
		took, err := update(channel, endpoints)
		return map[string]float64{"update_ms": millis(took)}, err
	}
	return map[string]float64{
		"pick_ns": onThreads(threads, window/2, func(n int) { pick(picker, calls[n%keys]) }),
		"call_ns": onThreads(threads, window/2, func(n int) { call(picker, calls[n%keys]) }),
	}, nil
}

// The endpoints become READY one after the other; says how much CPU time that takes.
func rise(channel *channel, endpoints int) (time.Duration, error) {
	if err := channel.resolve(list(endpoints, 0)); err != nil {
		return 0, err
	}
	before := used()
	channel.tell()
	return used() - before, nil
}

// Replaces ten endpoints, several times; says how much CPU time it takes the policy to know.
func update(channel *channel, endpoints int) (time.Duration, error) {
	var took time.Duration
	for round := 1; round <= updates; round++ {
		next := list(endpoints, round*10)
		before := used()
		if err := channel.resolve(next); err != nil {
			return 0, err
		}
		took += used() - before
		channel.tell()
	}
	return took / updates, nil
}

// CPU time so far, the garbage collector's included.
func used() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func pick(picker balancer.Picker, ctx context.Context) balancer.PickResult {
	result, err := picker.Pick(balancer.PickInfo{FullMethodName: method, Ctx: ctx})
	if err != nil {
		panic(err)
	}
	return result
}

// A pick, and what the policy wants to know of the end of the call.
func call(picker balancer.Picker, ctx context.Context) {
	if result := pick(picker, ctx); result.Done != nil {
		result.Done(balancer.DoneInfo{BytesSent: true, BytesReceived: true})
	}
}

// Endpoints with an address each; those of different calls overlap but for the first `from`.
func list(count, from int) []resolver.Endpoint {
	endpoints := make([]resolver.Endpoint, count)
	for n := range endpoints {
		at := from + n
		address := fmt.Sprintf("10.%d.%d.%d:50051", at>>16&255, at>>8&255, at&255)
		endpoints[n] = resolver.Endpoint{Addresses: []resolver.Address{{Addr: address}}}
	}
	return endpoints
}

func contexts() []context.Context {
	all := make([]context.Context, keys)
	for n := range all {
		all[n] = metadata.AppendToOutgoingContext(context.Background(), "x-user", fmt.Sprintf("user-%d", n))
	}
	return all
}

func millis(duration time.Duration) float64 {
	return float64(duration) / float64(time.Millisecond)
}
