package main

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// How many picks are timed at once: some hundreds of microseconds.
const chunk = 10_000

// Does the work over and over on some threads at a time. Says how many nanoseconds one takes: the median of the chunks
// of each thread, so that moments in which a thread did not run don't count, and the mean of the threads.
func onThreads(threads int, window time.Duration, do func(n int)) float64 {
	medians := make([]float64, threads)
	var running sync.WaitGroup
	for thread := range threads {
		running.Go(func() {
			runtime.LockOSThread()
			var chunks []time.Duration
			first := thread * chunk
			for began := time.Now(); time.Since(began) < window || len(chunks) == 0; {
				start := time.Now()
				for n := range chunk {
					do(first + n)
				}
				chunks = append(chunks, time.Since(start))
			}
			medians[thread] = float64(median(chunks).Nanoseconds()) / chunk
		})
	}
	running.Wait()
	sum := 0.0
	for _, each := range medians {
		sum += each
	}
	return sum / float64(threads)
}

func median(durations []time.Duration) time.Duration {
	slices.Sort(durations)
	return durations[len(durations)/2]
}
