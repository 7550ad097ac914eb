//go:build linux

package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"ringline.io/ringline/internal/wire"
)

// nowhere is the address that brokers advertise to each other. It is unreachable, so that brokers use only
// their own links.
const nowhere = "127.0.0.1:1"

// addNodes starts the brokers with the configuration that compose.yaml mounts, and waits until they are
// ready.
func (r *Rig) addNodes(ctx context.Context) error {
	routes := make([]string, r.cfg.Nodes)
	for i := range r.cfg.Nodes {
		n := &Node{Store: r.path(fmt.Sprintf("nats-%d", i+1)), Peers: make([]*wire.Link, r.cfg.Nodes)}
		n.Name = fmt.Sprintf("nats-%d", i+1)
		var err error
		for _, addr := range []*string{&n.Host, &n.monitor, &routes[i]} {
			if *addr, err = freeAddr(ctx); err != nil {
				return err
			}
		}
		if err := n.mount(r.starter, r.cfg.DiskSize); err != nil {
			return err
		}
		r.Nodes = append(r.Nodes, n)
	}
	config, err := r.config()
	if err != nil {
		return err
	}
	for i, n := range r.Nodes {
		if err := r.startNode(n, i, routes, config); err != nil {
			return err
		}
	}
	return r.AwaitNodes(ctx)
}

func (r *Rig) startNode(n *Node, self int, routes []string, config string) error {
	advertise := nowhere
	if r.cfg.Direct {
		advertise = routes[self] // the address in the routes of the others
	}
	var to []string
	for i, route := range routes {
		switch {
		case i == self:
		case r.cfg.Direct:
			to = append(to, "nats://"+route)
		default:
			l, err := wire.Listen(n.Name+"→"+r.Nodes[i].Name, route, false)
			if err != nil {
				return err
			}
			n.Peers[i] = l
			to = append(to, "nats://"+l.Addr())
		}
	}
	n.Process = r.process(n.Name, "nats-server", []string{
		"NATS_NAME=" + n.Name, "NATS_LISTEN=" + n.Host, "NATS_ADVERTISE=" + nowhere, "NATS_HTTP=" + n.monitor,
		"NATS_STORE=" + n.Store, "NATS_MAX_STORE=32GB", fmt.Sprintf("NATS_MAX_ACCOUNT=%dGB", 32*len(routes)), "NATS_CLUSTER_LISTEN=" + routes[self],
		"NATS_CLUSTER_ADVERTISE=" + advertise, "NATS_ROUTES=[" + strings.Join(to, ", ") + "]",
	}, "-c", config)
	return n.Start()
}

// config returns the path of the configuration that compose.yaml mounts, or of a copy without the parts that
// this rig does not use.
func (r *Rig) config() (string, error) {
	file := filepath.Join(r.cfg.Source, "deploy", "nats", "nats.conf")
	var without []func(string) (string, error)
	if r.cfg.Nodes == 1 { // a cluster of one would wait for others
		without = append(without, alone)
	}
	if r.cfg.Unsynced {
		without = append(without, unsynced)
	}
	if len(without) == 0 {
		return file, nil
	}
	data, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return "", fmt.Errorf("rig: %w", err)
	}
	text := string(data)
	for _, f := range without {
		if text, err = f(text); err != nil {
			return "", err
		}
	}
	file = r.path("nats.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("rig: %w", err)
	}
	return file, nil
}

// alone returns the configuration without its cluster.
func alone(config string) (string, error) {
	before, cluster, found := strings.Cut(config, "\ncluster {\n")
	_, after, closed := strings.Cut(cluster, "\n}\n")
	if !found || !closed {
		return "", errors.New("rig: nats.conf has no cluster block")
	}
	return before + "\n" + after, nil
}

// unsynced returns the configuration without sync_interval: always.
func unsynced(config string) (string, error) {
	before, rest, found := strings.Cut(config, "\n  sync_interval: always")
	_, after, ended := strings.Cut(rest, "\n")
	if !found || !ended {
		return "", errors.New("rig: nats.conf has no sync_interval: always")
	}
	return before + "\n" + after, nil
}

// AwaitNodes waits until JetStream is ready on every broker.
func (r *Rig) AwaitNodes(ctx context.Context) error {
	for _, n := range r.Nodes {
		if err := n.Await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Await waits until JetStream is ready on the broker.
func (n *Node) Await(ctx context.Context) error {
	return await(ctx, n.Name, "http://"+n.monitor+"/healthz")
}

// mount mounts a separate disk of this size for the broker. Only the rig sees it.
func (n *Node) mount(s *starter, size string) (err error) {
	if err := os.MkdirAll(n.Store, 0o700); err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	if size == "" {
		return nil
	}
	s.do(func() { err = syscall.Mount("tmpfs", n.Store, "tmpfs", 0, "size="+size) })
	if err != nil {
		return fmt.Errorf("rig: mount a disk of %s: %w", size, err)
	}
	return nil
}

// FillDisk fills the broker's disk.
func (n *Node) FillDisk() (err error) {
	n.from.do(func() { err = fill(n.ballast()) })
	if err != nil {
		return fmt.Errorf("rig: fill the disk of %s: %w", n.Name, err)
	}
	return nil
}

func fill(path string) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for len(block) >= 512 {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	return f.Close()
}

// FreeDisk frees the space that FillDisk used.
func (n *Node) FreeDisk() { n.from.do(func() { _ = os.Remove(n.ballast()) }) }

func (n *Node) ballast() string { return filepath.Join(n.Store, "ballast") }
