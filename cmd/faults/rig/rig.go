//go:build linux

package rig

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/cmd/faults/defects"
	"ringline.io/ringline/cmd/faults/wire"
)

// Config says what a rig consists of.
type Config struct {
	Dir          string   // logs, and data where there is no disk of its own for it
	Source       string   // the root of the repository
	Defects      []string // what to plant in the build; see package defects
	Clocks       bool     // build Ringline with wrong clocks too
	Older        bool     // build Ringline with another version too
	Nodes        int      // brokers: 1 or 3
	Coordinators int
	Timeouts     int
	Edges        int
	Env          []string // settings of the workers
	EdgeEnv      []string // and those of the edges besides
	DiskSize     string   // of each broker's disk, as mount takes it; empty: no disk of its own
	Direct       bool     // nothing stands between them, as a link would be measured with what it joins
	Unsynced     bool     // brokers do not wait for the disk before they acknowledge
}

// Rig is what was started.
type Rig struct {
	Nodes        []*Node
	Coordinators []*Worker
	Timeouts     []*Worker
	Edges        []*Worker

	cfg     Config
	env     []string
	starter *starter
	others  []*Process
}

// HTTP is the worker's address, host and port.
func (w *Worker) HTTP() string { return w.http }

// Node is a broker.
type Node struct {
	Process
	Host  string       // where it listens, for those whom no fault of a link is to reach
	Store string       // its data
	Peers []*wire.Link // to the other brokers, in their order; those from them are theirs

	monitor string
}

// Worker is a process of Ringline.
type Worker struct {
	Process
	Links []*wire.Link // to the brokers, in their order

	http  string
	seen  counts // of the process as it runs now
	total counts // of those that ended
}

// New builds the programs and starts the brokers and the workers.
func New(ctx context.Context, cfg Config) (*Rig, error) {
	r := &Rig{cfg: cfg, starter: newStarter()}
	if err := r.open(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// startsWithin is how long everything may take to start once it is built. A build takes as long as it takes: with wrong clocks it
// compiles all of Ringline twice.
const startsWithin = 3 * time.Minute

func (r *Rig) open(ctx context.Context) error {
	if err := os.MkdirAll(r.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	if there, err := os.ReadDir(r.cfg.Dir); err != nil || len(there) > 0 {
		return errors.Join(fmt.Errorf("rig: %s is not empty; begin with a folder that is", r.cfg.Dir), err)
	}
	if err := r.build(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startsWithin)
	defer cancel()
	if err := r.addNodes(ctx); err != nil {
		return err
	}
	if err := r.SetUp(ctx); err != nil {
		return err
	}
	for range r.cfg.Coordinators {
		if err := r.AddCoordinator(ctx); err != nil {
			return err
		}
	}
	for i := range r.cfg.Timeouts {
		w, err := r.addWorker(ctx, "timeouts", i)
		if err != nil {
			return err
		}
		r.Timeouts = append(r.Timeouts, w)
	}
	for i := range r.cfg.Edges {
		w, err := r.addWorker(ctx, kindEdge, i)
		if err != nil {
			return err
		}
		r.Edges = append(r.Edges, w)
	}
	return r.AwaitWorkers(ctx)
}

// kindEdge is what runs an edge.
const kindEdge = "edge"

// AddCoordinator starts one more.
func (r *Rig) AddCoordinator(ctx context.Context) error {
	w, err := r.addWorker(ctx, "coordinator", len(r.Coordinators))
	if err == nil {
		r.Coordinators = append(r.Coordinators, w)
	}
	return err
}

// Workers lists all workers.
func (r *Rig) Workers() []*Worker { return slices.Concat(r.Coordinators, r.Timeouts, r.Edges) }

// Program starts another program with the environment of this one, beside the others. It ends with the rig at the latest.
func (r *Rig) Program(name, path string, args ...string) (*Process, error) {
	p := r.process(name, "", os.Environ(), args...)
	p.path = path
	r.others = append(r.others, &p)
	return &p, p.Start()
}

// Ringline starts the program that was built, as somebody who uses it, with these settings and no others. It ends with the
// rig at the latest.
func (r *Rig) Ringline(name string, env []string, args ...string) (*Process, error) {
	p := r.process(name, "ringline", env, args...)
	r.others = append(r.others, &p)
	return &p, p.Start()
}

// FreeAddress is an address on which nobody listens.
func (r *Rig) FreeAddress(ctx context.Context) (string, error) { return freeAddr(ctx) }

// Close ends everything.
func (r *Rig) Close() {
	for _, p := range r.others {
		p.Kill()
	}
	for _, w := range r.Workers() {
		w.Kill()
		for _, l := range w.Links {
			l.Close()
		}
	}
	for _, n := range r.Nodes {
		n.Kill()
		for _, l := range n.Peers {
			if l != nil {
				l.Close()
			}
		}
	}
	r.starter.end()
}

// Errors lists what the processes did that nobody asked for.
func (r *Rig) Errors() error {
	var all []error
	for _, w := range r.Workers() {
		all = append(all, w.Errors()...)
	}
	for _, n := range r.Nodes {
		all = append(all, n.Errors()...)
	}
	return errors.Join(all...)
}

func (r *Rig) build(ctx context.Context) error {
	ringline := []string{"build", "-o", r.path("ringline")}
	if len(r.cfg.Defects) > 0 {
		overlay, err := defects.Overlay(r.cfg.Source, r.path("defects"), r.cfg.Defects...)
		if err != nil {
			return err
		}
		ringline = append(ringline, "-overlay", overlay)
	}
	if r.cfg.Clocks {
		if err := r.buildClocks(ctx); err != nil {
			return err
		}
	}
	if r.cfg.Older {
		if err := r.buildOlder(ctx); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		append(ringline, "./cmd/ringline"),
		{"build", "-o", r.path("nats-server"), "github.com/nats-io/nats-server/v2"},
	} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = r.cfg.Source
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("rig: go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

func (r *Rig) path(name string) string {
	dir, err := filepath.Abs(r.cfg.Dir)
	if err != nil {
		dir = r.cfg.Dir
	}
	return filepath.Join(dir, name)
}

func (r *Rig) process(name, program string, env []string, args ...string) Process {
	return Process{
		Name: name, path: r.path(program), args: args, log: r.path(name + ".log"), from: r.starter,
		env: append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.path("")}, env...),
	}
}

// URLs are the brokers as those see them whom no fault of a link is to reach.
func (r *Rig) URLs() string {
	urls := make([]string, len(r.Nodes))
	for i, n := range r.Nodes {
		urls[i] = "nats://" + n.Host
	}
	return strings.Join(urls, ",")
}

// SetUp runs `ringline setup`.
func (r *Rig) SetUp(ctx context.Context) error {
	r.env = append(slices.Clone(r.cfg.Env), fmt.Sprintf("RINGLINE_REPLICAS=%d", r.cfg.Nodes))
	cmd := exec.CommandContext(ctx, r.path("ringline"), "setup", "--wait", "60s", "--nats-url", r.URLs())
	cmd.Env = append(cmd.Environ(), r.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("rig: ringline setup: %w\n%s", err, out)
	}
	return nil
}

func (r *Rig) addWorker(ctx context.Context, kind string, i int) (*Worker, error) {
	name := fmt.Sprintf("%s-%d", kind, i+1)
	http, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	w := &Worker{http: http}
	links, urls, err := r.Links(name, i)
	if err != nil {
		return nil, err
	}
	w.Links = links
	env := r.env
	if kind == kindEdge {
		env = slices.Concat(env, r.cfg.EdgeEnv)
	}
	w.Process = r.process(name, "ringline", env, kind, "--nats-url", urls, "--http", http)
	return w, w.Start()
}

// Links opens links from a process to every broker, and gives their URLs, that of broker first before the others. Where
// nothing is to stand between them there are none, and the URLs are those of the brokers.
func (r *Rig) Links(name string, first int) ([]*wire.Link, string, error) {
	var links []*wire.Link
	urls := make([]string, len(r.Nodes))
	for i, n := range r.Nodes {
		addr := n.Host
		if !r.cfg.Direct {
			l, err := wire.Listen(name+"→"+n.Name, n.Host, true)
			if err != nil {
				return nil, "", err
			}
			links, addr = append(links, l), l.Addr()
		}
		urls[(i+len(r.Nodes)-first%len(r.Nodes))%len(r.Nodes)] = "nats://" + addr
	}
	return links, strings.Join(urls, ","), nil
}

// AwaitWorkers waits until every worker says that it is ready.
func (r *Rig) AwaitWorkers(ctx context.Context) error {
	for _, w := range r.Workers() {
		if err := w.Await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Await waits until the worker says that it is ready.
func (w *Worker) Await(ctx context.Context) error {
	return await(ctx, w.Name, "http://"+w.http+"/readyz")
}

// AwaitHTTP waits until the answer is 200.
func AwaitHTTP(ctx context.Context, name, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return await(ctx, name, url)
}

// await asks until the answer is 200.
func await(ctx context.Context, name, url string) error {
	last := "no answer"
	for {
		status, err := get(ctx, url)
		switch {
		case err == nil && status == http.StatusOK:
			return nil
		case err == nil:
			last = fmt.Sprintf("status %d", status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("rig: %s is not ready: %s: %w", name, last, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// freeAddr is an address on which nobody listens, below the ports that the kernel gives to who connects: whoever listens
// here is to find it free again after its death.
func freeAddr(ctx context.Context) (string, error) {
	const least, most, tries = 12_000, 32_000, 100
	for range tries {
		var lc net.ListenConfig
		addr := fmt.Sprintf("127.0.0.1:%d", least+rand.IntN(most-least)) //nolint:gosec // any will do
		if l, err := lc.Listen(ctx, "tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("rig: no port is free between 12000 and 32000")
}
