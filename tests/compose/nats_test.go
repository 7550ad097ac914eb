package compose

import (
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/nats-io/nats-server/v2/conf"
	"github.com/nats-io/nats-server/v2/server"
)

// node is a NATS node of compose.yaml, as nats-server reads its configuration.
type node struct {
	types.ServiceConfig
	*server.Options
	routes []*url.URL
	store  string // the volume with its data

	account int64 // how much the account of Ringline may store
}

// accountLimit reads a limit that server.Options does not export.
func accountLimit(file string) (int64, error) {
	all, err := conf.ParseFile(file)
	if err != nil {
		return 0, err
	}
	accounts, _ := all["accounts"].(map[string]any)
	account, _ := accounts["RINGLINE"].(map[string]any)
	js, _ := account["jetstream"].(map[string]any)
	bytes, _ := js["max_file"].(int64)
	return bytes, nil
}

// checkNodes returns the nodes by the name of their service.
func (s site) checkNodes(t *testing.T, f *findings, project *types.Project) map[string]node {
	t.Helper()
	nodes := map[string]node{}
	stores, names := map[string]bool{}, map[string]bool{}
	for name, svc := range project.Services {
		if _, ok := svc.Environment["NATS_NAME"]; !ok {
			continue
		}
		n, ok := s.readNode(t, f, svc)
		if !ok {
			continue
		}
		nodes[name] = n
		f.check(!stores[n.store] && !names[n.ServerName], "%s: shares its volume or name with another node", name)
		stores[n.store], names[n.ServerName] = true, true
	}
	f.check(len(nodes) == 3, "there are %d nodes", len(nodes))
	for _, n := range nodes {
		s.checkNode(f, n, nodes)
	}
	return nodes
}

// readNode makes nats-server read the configuration of this service.
func (s site) readNode(t *testing.T, f *findings, svc types.ServiceConfig) (n node, ok bool) {
	t.Helper()
	n.ServiceConfig = svc
	i := slices.Index(svc.Command, "--config")
	if i < 0 || i+1 == len(svc.Command) {
		f.add("%s: no --config", svc.Name)
		return n, false
	}
	var err error
	t.Run(svc.Name, func(t *testing.T) { // the environment of a subtest ends with it
		for name, value := range svc.Environment {
			t.Setenv(name, *value)
		}
		file := onHost(svc, svc.Command[i+1])
		if n.Options, err = server.ProcessConfigFile(file); err == nil {
			n.account, err = accountLimit(file)
		}
	})
	if err != nil {
		f.add("%s: %v", svc.Name, err)
		return n, false
	}
	n.routes = n.Routes
	for _, v := range svc.Volumes {
		if v.Type == types.VolumeTypeVolume && (n.StoreDir == v.Target || strings.HasPrefix(n.StoreDir, v.Target+"/")) {
			n.store = v.Source
		}
	}
	return n, true
}

// onHost finds the host file that is mounted at a path in a container.
func onHost(svc types.ServiceConfig, path string) string {
	for _, v := range svc.Volumes {
		if rest, below := strings.CutPrefix(path, v.Target+"/"); below && v.Type == types.VolumeTypeBind {
			return filepath.Join(v.Source, rest)
		}
	}
	return path
}

func (s site) checkNode(f *findings, n node, nodes map[string]node) {
	f.check(n.Image == "nats:"+s.version(f, "go.mod", natsVersion)+"-alpine", "%s: image %s is not of the nats-server in go.mod", n.Name, n.Image)
	closed := n.PingInterval * time.Duration(n.MaxPingsOut+2)
	f.check(closed > 0 && closed <= 15*time.Second, "%s: a worker that is stopped gets requests for %v, where 0 is the default of 8 minutes", n.Name, closed)
	f.check(n.JetStream && n.SyncAlways && n.store != "", "%s: no JetStream that syncs always, on a volume", n.Name)
	f.check(len(n.Accounts) == 1 && n.Accounts[0].Name == "RINGLINE" && n.NoAuthUser != "",
		"%s: a client without credentials is in no account RINGLINE", n.Name)
	f.check(n.account == n.JetStreamMaxStore*int64(len(nodes)), "%s: the account may store %d bytes, and %d nodes %d each", n.Name, n.account, len(nodes), n.JetStreamMaxStore)
	f.check(n.StopSignal == "SIGUSR2" && n.StopGracePeriod != nil &&
		time.Duration(*n.StopGracePeriod) > n.LameDuckDuration+n.LameDuckGracePeriod, "%s: is killed while it is a lame duck", n.Name)
	for _, p := range n.Ports {
		f.check(slices.Contains([]int{n.Port, n.HTTPPort}, int(p.Target)), "%s: nothing listens on the published port %d", n.Name, p.Target)
	}
	f.check(n.ClientAdvertise == at(n.Name, n.Port), "%s: advertises %s to clients", n.Name, n.ClientAdvertise)
	f.check(n.Cluster.Advertise == at(n.Name, n.Cluster.Port), "%s: advertises %s to nodes", n.Name, n.Cluster.Advertise)
	for _, host := range []string{n.Host, n.HTTPHost, n.Cluster.Host} {
		f.check(host == "0.0.0.0", "%s: listens on %s only, where no other container is", n.Name, host)
	}
	checkHealth(f, n)
	leadTo := map[string]bool{}
	for _, r := range n.routes {
		to, ok := nodes[r.Hostname()]
		f.check(ok && r.Host == at(to.Name, to.Cluster.Port), "%s: the route %s leads to no node", n.Name, r)
		leadTo[r.Hostname()] = true
	}
	f.check(len(leadTo) == len(nodes), "%s: has routes to %d of %d nodes", n.Name, len(leadTo), len(nodes))
}

// checkHealth requires a health check that asks this node for its complete health.
func checkHealth(f *findings, n node) {
	if n.HealthCheck == nil {
		f.add("%s: no healthcheck", n.Name)
		return
	}
	test := n.HealthCheck.Test
	asked := test[len(test)-1]
	f.check(asked == "http://"+at("127.0.0.1", n.HTTPPort)+"/healthz", "%s: its healthcheck asks %s", n.Name, asked)
}

func at(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

var (
	natsVersion = regexp.MustCompile(`(?m)^\s*github\.com/nats-io/nats-server/v2 v(\S+)$`)
	goVersion   = regexp.MustCompile(`(?m)^go (\S+)$`)
	promVersion = regexp.MustCompile(`(?m)^\s*github\.com/prometheus/prometheus v0\.(\S+)$`)
	fromGolang  = regexp.MustCompile(`(?m)^FROM (?:--\S+ )?golang:(\S+) AS `)
	runsAs      = regexp.MustCompile(`(?m)^USER ([1-9]\d*:[1-9]\d*)$`)
	buildsFrom  = regexp.MustCompile(`(?m) go build .* \./(\S+)$`)
)

// version returns what the pattern's group matches in a file.
func (s site) version(f *findings, file string, pattern *regexp.Regexp) string {
	m := pattern.FindStringSubmatch(s.read(f, file))
	if m == nil {
		f.add("%s: no %s", file, pattern)
		return ""
	}
	return m[1]
}
