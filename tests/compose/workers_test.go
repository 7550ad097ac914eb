package compose

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// ringlineImage is the image of all services that run ringline.
const ringlineImage = "ringline"

// drain is longer than a worker takes to stop: twice 10 s for messages in flight, and 10 s for each of its two
// connections.
const drain = 40 * time.Second

// checkWorkers checks the services that run ringline.
func (s site) checkWorkers(ctx context.Context, f *findings, project *types.Project, nodes map[string]node) {
	found, built := map[string]bool{}, 0
	for name, svc := range project.Services {
		if svc.Image != ringlineImage {
			continue
		}
		if svc.Build != nil {
			built++
		} else {
			f.check(svc.PullPolicy == types.PullPolicyNever, "%s: may pull the image %s of another project", name, ringlineImage)
		}
		s.checkSettings(ctx, f, svc)
		checkServers(f, svc, nodes)
		if len(svc.Command) == 0 {
			f.add("%s: no command", name)
			continue
		}
		found[svc.Command[0]] = true
		if !oneShot(svc) {
			f.check(svc.StopGracePeriod != nil && time.Duration(*svc.StopGracePeriod) > drain, "%s: is killed while it drains", name)
		}
	}
	f.check(built == 1, "the image %s is built by %d services", ringlineImage, built)
	for _, command := range []string{"setup", "coordinator", "timeouts", "edge"} {
		f.check(found[command], "no service is `ringline %s`", command)
	}
}

// checkSettings makes ringline check the environment and the command line of the service.
func (s site) checkSettings(ctx context.Context, f *findings, svc types.ServiceConfig) {
	if out, err := s.run(ctx, environment(svc), "config", "--check"); err != nil {
		f.add("%s: ringline config --check: %v: %s", svc.Name, err, out)
	}
	help, err := s.run(ctx, nil, append(append([]string{}, svc.Command...), "--help")...)
	known := err == nil && strings.Contains(help, "\n  ringline "+svc.Command[0]+" ")
	f.check(known, "%s: there is no command `ringline %s`: %.200s", svc.Name, strings.Join(svc.Command, " "), help)
}

// checkServers requires that the servers are exactly the nodes, and that every node has every stream.
func checkServers(f *findings, svc types.ServiceConfig, nodes map[string]node) {
	servers := strings.Split(setting(svc, "RINGLINE_NATS_URL"), ",")
	for _, server := range servers {
		u, err := url.Parse(server)
		if err != nil {
			f.add("%s: %v", svc.Name, err)
			continue
		}
		n, ok := nodes[u.Hostname()]
		f.check(ok && u.Host == at(n.Name, n.Port), "%s: no node listens at %s", svc.Name, server)
	}
	f.check(len(servers) == len(nodes), "%s: knows %d of %d nodes", svc.Name, len(servers), len(nodes))
	f.check(setting(svc, "RINGLINE_REPLICAS") == strconv.Itoa(len(nodes)), "%s: RINGLINE_REPLICAS is not %d", svc.Name, len(nodes))
}

func setting(svc types.ServiceConfig, name string) string {
	if v := svc.Environment[name]; v != nil {
		return *v
	}
	return ""
}

// httpPort returns the port at which the whole container network reaches the worker's HTTP server, empty if it can't.
func httpPort(svc types.ServiceConfig) string {
	host, port, err := net.SplitHostPort(setting(svc, "RINGLINE_HTTP"))
	if err != nil || host != "0.0.0.0" && host != "" {
		return ""
	}
	return port
}

// checkDockerfile requires the Go version of go.mod, a user other than root, and a program that exists.
func (s site) checkDockerfile(f *findings) {
	const file = "deploy/Dockerfile"
	in, want := s.version(f, file, fromGolang), s.version(f, "go.mod", goVersion)
	f.check(in == want, "%s: Go %s is not that of go.mod, %s", file, in, want)
	s.version(f, file, runsAs)
	_, err := os.Stat(filepath.Join(s.root, s.version(f, file, buildsFrom), "main.go"))
	f.check(err == nil, "%s: %v", file, err)
}

// read returns the content of a file.
func (s site) read(f *findings, file string) string {
	data, err := os.ReadFile(filepath.Join(s.root, file)) //nolint:gosec // of this repo
	f.check(err == nil, "%v", err)
	return string(data)
}
