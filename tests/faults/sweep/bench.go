//go:build linux

package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"ringline.io/ringline/internal/bench"
)

// bench runs `ringline bench` with the workers of the rig, and returns its report. It retries once after a
// failure, because on a busy machine bench may miscount the traffic on the broker. If a flag is given twice,
// the last one counts.
func (s stage) bench(ctx context.Context, name string, env []string, flags ...string) (*bench.Report, error) {
	r, err := s.once(ctx, name, env, flags...)
	if err == nil || ctx.Err() != nil {
		return r, err
	}
	s.Say("%s: once more, after a failure: %v", s.name, err)
	return s.once(ctx, name+"-again", env, flags...)
}

func (s stage) once(ctx context.Context, name string, env []string, flags ...string) (*bench.Report, error) {
	const phases = 6 // three each for Ringline and the floor
	most := time.Duration(phases*s.Runs)*(s.long()+10*time.Second) + 5*time.Minute
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	file := filepath.Join(s.dir, name+".json")
	args := []string{
		"bench", "--nats-url", s.rig.URLs(), "--out", file, "--runs", strconv.Itoa(s.Runs), "--duration", s.long().String(),
		"--warm-up", pick(s.Config, 2*time.Second, 300*time.Millisecond).String(),
	}
	p, err := s.rig.Ringline("bench-"+name, env, append(args, flags...)...)
	if err != nil {
		return nil, err
	}
	if err := p.Ended(ctx); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, fmt.Errorf("the report of bench: %w", err)
	}
	return bench.ReadReport(data)
}

// withFloor runs bench with a floor.
func (s stage) withFloor(ctx context.Context, name string, env []string, flags ...string) (*bench.Report, error) {
	r, err := s.bench(ctx, name, env, flags...)
	if err == nil && (r.Floor == nil || r.Ratio == nil) {
		err = errors.New("the report has no floor")
	}
	if err == nil {
		s.Say("%s: idle ring p50 %s (%s of the floor), %s calls/s (%s)", s.name, micros(r.Ring.P50), by(r.Ratio.RingP50),
			grouped(r.CallsPerSecond), by(r.Ratio.CallsPerSecond))
	}
	return r, err
}

// played describes how bench measures.
func (c Config) played() string { return c.playedOver(string(bench.OverSubjects)) }

func (c Config) playedOver(what string) string {
	return fmt.Sprintf("`ringline bench`, answered calls over %s, 64 concurrent calls, medians of %d run(s) of %v a phase.", what, c.Runs, c.long())
}

// disk describes how the brokers sync to disk.
func (c Config) disk() string {
	if c.Synced {
		return " Brokers with `sync_interval: always`."
	}
	return " Brokers without `sync_interval: always`."
}
