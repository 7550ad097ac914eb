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

	"ringline.io/ringline/internal/wire"
	"ringline.io/ringline/tests/faults/defects"
)

// Config configures a rig.
type Config struct {
	Dir          string   // logs, and data that has no separate disk
	Source       string   // the root of the repository
	Defects      []string // defects to plant in the build; see package defects
	Clocks       bool     // also build Ringline with wrong clocks
	Older        bool     // also build Ringline with another version
	Nodes        int      // brokers: 1 or 3
	Coordinators int
	Timeouts     int
	Edges        int
	Env          []string // settings of the workers
	EdgeEnv      []string // additional settings of the edges
	DiskSize     string   // size of each broker's disk, as a mount option; empty: no separate disk
	Direct       bool     // no links between the processes, because a link would affect measurements
	Unsynced     bool     // brokers acknowledge before data is synced to disk
}

// Rig is a set of running processes.
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

// HTTP returns the worker's address as host:port.
func (w *Worker) HTTP() string { return w.http }

// Node is a broker.
type Node struct {
	Process
	Host  string       // listen address, which bypasses all links
	Store string       // its data
	Peers []*wire.Link // links from this broker to the others, in their order

	monitor string
}

// Worker is a process of Ringline.
type Worker struct {
	Process
	Links []*wire.Link // to the brokers, in their order

	http  string
	seen  counts // of the current process
	total counts // of the ended processes
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

// startsWithin is the time limit for all starts after the build. The build has no limit: with wrong clocks it
// compiles all of Ringline twice.
const startsWithin = 3 * time.Minute

func (r *Rig) open(ctx context.Context) error {
	if err := os.MkdirAll(r.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	if there, err := os.ReadDir(r.cfg.Dir); err != nil || len(there) > 0 {
		return errors.Join(fmt.Errorf("rig: %s is not empty; choose an empty folder", r.cfg.Dir), err)
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

// kindEdge is the command that runs an edge.
const kindEdge = "edge"

// AddCoordinator starts one more coordinator.
func (r *Rig) AddCoordinator(ctx context.Context) error {
	w, err := r.addWorker(ctx, "coordinator", len(r.Coordinators))
	if err == nil {
		r.Coordinators = append(r.Coordinators, w)
	}
	return err
}

// Workers lists all workers.
func (r *Rig) Workers() []*Worker { return slices.Concat(r.Coordinators, r.Timeouts, r.Edges) }

// Program starts another program with the environment of this process. It ends with the rig at the latest.
func (r *Rig) Program(name, path string, args ...string) (*Process, error) {
	p := r.process(name, "", os.Environ(), args...)
	p.path = path
	r.others = append(r.others, &p)
	return &p, p.Start()
}

// Ringline starts the built program as a user would, with only these settings. It ends with the rig at the
// latest.
func (r *Rig) Ringline(name string, env []string, args ...string) (*Process, error) {
	p := r.process(name, "ringline", env, args...)
	r.others = append(r.others, &p)
	return &p, p.Start()
}

// FreeAddress returns an unused address.
func (r *Rig) FreeAddress(ctx context.Context) (string, error) { return freeAddr(ctx) }

// Close ends all processes and links.
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

// Errors returns the unexpected ends of the processes.
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

// URLs returns the URLs of the brokers. They bypass all links.
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

// Links opens links from a process to every broker. It returns the links and their URLs, beginning with the
// broker of index first. With Direct there are no links, and the URLs are those of the brokers.
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

// AwaitWorkers waits until every worker reports ready.
func (r *Rig) AwaitWorkers(ctx context.Context) error {
	for _, w := range r.Workers() {
		if err := w.Await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Await waits until the worker reports ready.
func (w *Worker) Await(ctx context.Context) error {
	return await(ctx, w.Name, "http://"+w.http+"/readyz")
}

// AwaitHTTP waits until the response status is 200.
func AwaitHTTP(ctx context.Context, name, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return await(ctx, name, url)
}

// await polls the URL until the response status is 200.
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

// freeAddr returns an unused address. Its port is below the kernel's ephemeral ports, so that it remains free
// while its process is down.
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
