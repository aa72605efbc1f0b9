package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/balancer"
	_ "google.golang.org/grpc/balancer/leastrequest"
	_ "google.golang.org/grpc/balancer/pickfirst"
	_ "google.golang.org/grpc/balancer/randomsubsetting"
	_ "google.golang.org/grpc/balancer/ringhash"
	_ "google.golang.org/grpc/balancer/roundrobin"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/experimental/stats"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"
)

// How long a policy may take until every call finds a subchannel.
const patience = time.Minute

// A channel that only pretends: every attempt to connect succeeds at once, and every subchannel is well.
type channel struct {
	balancer.ClientConn // Nobody: all that policies ask for is below.

	policy balancer.Balancer
	config serviceconfig.LoadBalancingConfig

	mu     sync.Mutex
	latest balancer.State
	// What has happened to subchannels and the policy has not been told yet.
	events []func()
	// While there is one, whoever makes a subchannel waits until all that has happened is told.
	hurry chan struct{}
}

func newChannel(name, config string) (*channel, error) {
	builder := balancer.Get(name)
	if builder == nil {
		return nil, fmt.Errorf("no policy is called %s", name)
	}
	c := &channel{}
	if parser, ok := builder.(balancer.ConfigParser); ok {
		parsed, err := parser.ParseConfig(json.RawMessage(config))
		if err != nil {
			return nil, err
		}
		c.config = parsed
	}
	c.policy = builder.Build(c, balancer.BuildOptions{})
	return c, nil
}

// Finds endpoints all of which connect while the policy is still busy with the list, but for the last: a policy that
// renews its picker for each endpoint that becomes READY would take minutes otherwise.
func (c *channel) resolveAndConnect(endpoints []resolver.Endpoint) error {
	done := make(chan struct{})
	c.hurry = make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		for {
			select {
			case c.hurry <- struct{}{}:
				c.tell()
			case <-done:
				return
			}
		}
	})
	err := c.resolve(endpoints)
	close(done)
	telling.Wait()
	c.hurry = nil
	return err
}

func (c *channel) resolve(endpoints []resolver.Endpoint) error {
	state := resolver.State{Endpoints: endpoints}
	for _, endpoint := range endpoints {
		state.Addresses = append(state.Addresses, endpoint.Addresses...)
	}
	return c.policy.UpdateClientConnState(balancer.ClientConnState{ResolverState: state, BalancerConfig: c.config})
}

// Tells the policy what has happened, one thing after the other, and what happens because of that.
func (c *channel) tell() {
	for {
		c.mu.Lock()
		events := c.events
		c.events = nil
		c.mu.Unlock()
		if len(events) == 0 {
			return
		}
		for _, event := range events {
			event()
		}
	}
}

// Goes on until each of these calls finds a subchannel: some policies connect only when they are asked to.
func (c *channel) settle(calls []context.Context) (balancer.Picker, error) {
	for began := time.Now(); time.Since(began) < patience; time.Sleep(time.Millisecond) {
		c.tell()
		if picker := c.picker(); picker != nil && all(picker, calls) {
			return picker, nil
		}
	}
	return nil, fmt.Errorf("some calls find no subchannel after %v", patience)
}

func all(picker balancer.Picker, calls []context.Context) bool {
	found := true
	for _, ctx := range calls {
		if _, err := picker.Pick(balancer.PickInfo{FullMethodName: method, Ctx: ctx}); err != nil {
			found = false
		}
	}
	return found
}

func (c *channel) picker() balancer.Picker {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latest.Picker
}

func (c *channel) happens(event func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, event)
}

func (c *channel) NewSubConn(_ []resolver.Address, options balancer.NewSubConnOptions) (balancer.SubConn, error) {
	if c.hurry != nil {
		// The first may come before the telling has begun, the second comes when it is over.
		<-c.hurry
		<-c.hurry
	}
	return &subchannel{channel: c, listener: options.StateListener}, nil
}

func (c *channel) UpdateState(state balancer.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest = state
}

func (c *channel) ResolveNow(resolver.ResolveNowOptions) {}

func (c *channel) Target() string { return "pretended" }

func (c *channel) MetricsRecorder() stats.MetricsRecorder {
	return stats.UnimplementedMetricsRecorder{}
}

// A subchannel without a connection.
type subchannel struct {
	balancer.SubConn // Nobody, as above.

	channel  *channel
	listener func(balancer.SubConnState)
}

func (s *subchannel) becomes(state connectivity.State) {
	s.channel.happens(func() { s.listener(balancer.SubConnState{ConnectivityState: state}) })
}

func (s *subchannel) Connect() {
	s.becomes(connectivity.Connecting)
	s.becomes(connectivity.Ready)
}

func (s *subchannel) Shutdown() { s.becomes(connectivity.Shutdown) }

func (s *subchannel) RegisterHealthListener(listener func(balancer.SubConnState)) {
	if listener != nil {
		s.channel.happens(func() { listener(balancer.SubConnState{ConnectivityState: connectivity.Ready}) })
	}
}
