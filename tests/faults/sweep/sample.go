//go:build linux

package sweep

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/rig"
)

// sample holds CPU times and counters at one time.
type sample struct {
	at      time.Time
	used    rig.Used
	machine time.Duration      // CPU time of all cores, used by any process
	counts  map[string]float64 // of a coordinator, if requested
}

// meanwhile takes samples while do runs.
func meanwhile(
	ctx context.Context, every time.Duration, look func(context.Context) (sample, error), do func(context.Context) error,
) ([]sample, error) {
	looking, stop := context.WithCancel(ctx)
	defer stop()
	var all []sample
	ended := make(chan error, 1)
	go func() {
		for play.Sleep(looking, every) {
			x, err := look(ctx)
			if err != nil {
				ended <- err
				return
			}
			all = append(all, x)
		}
		ended <- nil
	}()
	err := do(ctx)
	stop()
	err = errors.Join(err, <-ended)
	return all, err
}

// busiest returns the first and the last sample of the interval in which the figure grew fastest. The
// interval is at least long.
func busiest(all []sample, long time.Duration, figure func(sample) float64) (from, to sample, err error) {
	fastest := 0.0
	for i, x := range all {
		for _, y := range all[i:] {
			took := y.at.Sub(x.at)
			if took < long {
				continue
			}
			if speed := (figure(y) - figure(x)) / took.Seconds(); speed > fastest {
				fastest, from, to = speed, x, y
			}
			break
		}
	}
	if fastest == 0 {
		return from, to, errors.New("nothing was done during the measurement")
	}
	return from, to, nil
}

// of returns the CPU time of all processes of a kind.
func (x sample) of(kind string) (all time.Duration) {
	for name, t := range x.used {
		if k, _, _ := strings.Cut(name, "-"); k == kind {
			all += t
		}
	}
	return all
}

// lookAt samples the CPU times.
func (s stage) lookAt(context.Context) (sample, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return sample{}, err
	}
	busy, err := busyTime(string(stat))
	return sample{at: time.Now(), used: s.rig.Used(), machine: busy}, err
}

// busyTime returns the busy time of all cores from the content of /proc/stat.
func busyTime(stat string) (time.Duration, error) {
	first, _, _ := strings.Cut(stat, "\n")
	f := strings.Fields(first)
	const idle, wait, least = 4, 5, 9 // after the word cpu
	if len(f) < least || f[0] != "cpu" {
		return 0, errors.New("/proc/stat does not begin with the time of all cores")
	}
	ticks := int64(0)
	for i, text := range f[1:least] {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, err
		}
		if i+1 != idle && i+1 != wait {
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// loadAverage returns the load average of the last minute.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}
