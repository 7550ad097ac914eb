package compose

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryPlantedErrorIsFound plants one mistake at a time in a copy.
func TestEveryPlantedErrorIsFound(t *testing.T) {
	const compose, nats, alerts = "compose.yaml", "deploy/nats/nats.conf", "deploy/prometheus/alerts.yml"
	ringline := build(t)
	if found := (site{root: copied(t), ringline: ringline}).findings(t); len(found) > 0 {
		t.Fatalf("before any is planted: %q", found)
	}
	for name, m := range map[string]struct{ file, old, new, finding string }{
		"an indentation":                      {compose, "\n  setup:\n", "\n   setup:\n", "compose.yaml: "},
		"a key of no service":                 {compose, "restart: unless-stopped\n  stop_grace_period", "restarts: unless-stopped\n  stop_grace_period", "restarts"},
		"a service that is not there":         {compose, "nats-3: { condition: service_healthy }", "nats-4: { condition: service_healthy }", "nats-4"},
		"a volume that is not there":          {compose, "\"prometheus:/prom", "\"prom:/prom", "undefined volume prom"},
		"a folder that is not there":          {compose, `"./deploy/prometheus:/etc`, `"./deploy/prom:/etc`, "deploy/prom"},
		"a Dockerfile in its old place":       {compose, "dockerfile: deploy/Dockerfile", "dockerfile: Dockerfile", "Dockerfile: no such file"},
		"an image that is not built":          {compose, "    build: { context: ., dockerfile: deploy/Dockerfile }\n", "", "built by 0 services"},
		"an image of another project":         {compose, "  pull_policy: never\n", "", "may pull"},
		"a worker of another image":           {compose, "    command: [timeouts]\n", "    command: [timeouts]\n    image: ringline:old\n", "no service is `ringline timeouts`"},
		"a mount to write to":                 {compose, "./deploy/nats:/etc/nats:ro", "./deploy/nats:/etc/nats", "may write"},
		"a file system to write to":           {compose, "read_only: true", "read_only: false", "read_only"},
		"all capabilities":                    {compose, "  cap_drop: [ALL]\n", "", "cap_drop"},
		"new privileges":                      {compose, `  security_opt: ["no-new-privileges:true"]` + "\n", "", "no-new-privileges"},
		"a node that is root":                 {compose, "  user: \"65532:65532\"\n", "  user: \"0:0\"\n", "is root"},
		"an image of any version":             {compose, "image: prom/prometheus:", "image: prometheus #", "no version"},
		"a port on all addresses":             {compose, "127.0.0.1:4223:4222", "4223:4222", "beyond this host"},
		"a port that is not open":             {compose, "127.0.0.1:4223:4222", "127.0.0.1:4223:4223", "nothing listens"},
		"a port of a scaled service":          {compose, "    command: [timeouts]\n", "    command: [timeouts]\n    ports: [\"127.0.0.1:8080:8080\"]\n", "can't be scaled"},
		"no health check":                     {compose, "  healthcheck:", "  x-healthcheck:", "which has no healthcheck"},
		"health at another port":              {compose, "127.0.0.1:8222/healthz", "127.0.0.1:8223/healthz", "its healthcheck asks"},
		"health that is always well":          {compose, "8222/healthz", "8222/healthz?js-enabled-only=true", "its healthcheck asks"},
		"a wait for an end that never comes":  {compose, "    command: [setup, --wait, 60s]\n", "    command: [setup, --wait, 60s]\n    restart: always\n", "which is restarted"},
		"another nats-server":                 {compose, "-alpine # the", ".1-alpine # the", "not of the nats-server in go.mod"},
		"a nats-server of go.mod that is new": {"go.mod", "nats-server/v2 v", "nats-server/v2 v9.", "not of the nats-server in go.mod"},
		"a variable that is missing":          {compose, "  NATS_STORE: /data\n", "", "NATS_STORE"},
		"data on no volume":                   {compose, "NATS_STORE: /data", "NATS_STORE: /tmp", "on a volume"},
		"two nodes on one volume":             {compose, `"nats-3:/data"`, `"nats-2:/data"`, "shares its volume or name"},
		"two nodes of one name":               {compose, "NATS_NAME: nats-3", "NATS_NAME: nats-2", "shares its volume or name"},
		"a port of clients that moved":        {compose, "NATS_LISTEN: 0.0.0.0:4222", "NATS_LISTEN: 0.0.0.0:4333", "no node listens at"},
		"a node on loopback":                  {compose, "NATS_CLUSTER_LISTEN: 0.0.0.0:6222", "NATS_CLUSTER_LISTEN: 127.0.0.1:6222", "where no other container is"},
		"a route to nowhere":                  {compose, "nats://nats-3:6222]", "nats://nats-4:6222]", "leads to no node"},
		"a route that is missing":             {compose, ", nats://nats-3:6222]", "]", "routes to 2 of 3"},
		"advertised as another":               {compose, `NATS_CLUSTER_ADVERTISE: "nats-3:6222"`, `NATS_CLUSTER_ADVERTISE: "nats-2:6222"`, "to nodes"},
		"clients sent to another":             {compose, `NATS_ADVERTISE: "nats-3:4222"`, `NATS_ADVERTISE: "nats-3:4223"`, "to clients"},
		"an option that NATS lacks":           {nats, "max_payload:", "max_payloads:", "max_payloads"},
		"streams in the default account":      {nats, "no_auth_user: ", "# no_auth_user: ", "in no account RINGLINE"},
		"an account of one node":              {compose, "NATS_MAX_ACCOUNT:-96GB", "NATS_MAX_ACCOUNT:-32GB", "the account may store"},
		"an account without a limit":          {nats, "jetstream: { max_file: $NATS_MAX_ACCOUNT }", "jetstream: enabled", "the account may store 0 bytes"},
		"files synced now and then":           {nats, "sync_interval: always", "sync_interval: 2m", "syncs always"},
		"a lame duck that is killed":          {nats, "lame_duck_duration: 30s", "lame_duck_duration: 60s", "lame duck"},
		"pings once in 2 minutes":             {nats, "\nping_interval: 3s\n", "\n", "gets requests for"},
		"a setting that is misspelt":          {compose, "RINGLINE_REPLICAS:", "RINGLINE_REPLICA:", "did you mean RINGLINE_REPLICAS?"},
		"a setting out of range":              {compose, `RINGLINE_REPLICAS: "3"`, `RINGLINE_REPLICAS: "2"`, "must be 1, 3 or 5"},
		"streams of one copy":                 {compose, `RINGLINE_REPLICAS: "3"`, `RINGLINE_REPLICAS: "1"`, "RINGLINE_REPLICAS is not 3"},
		"a server that is unknown":            {compose, "nats://nats-3:4222", "nats://nats-5:4222", "no node listens at"},
		"a server that is left out":           {compose, ",nats://nats-3:4222", "", "knows 2 of 3"},
		"a command that is none":              {compose, "command: [timeouts]", "command: [timeout]", "no command"},
		"a flag that is none":                 {compose, "[setup, --wait, 60s]", "[setup, --waits, 60s]", "no command"},
		"no time to drain":                    {compose, "stop_grace_period: 60s", "stop_grace_period: 10s", "killed while it drains"},
		"metrics on loopback":                 {compose, "RINGLINE_HTTP: 0.0.0.0:8080", "RINGLINE_HTTP: 127.0.0.1:8080", "no service coordinator shows metrics"},
		"metrics at another port":             {"deploy/prometheus/prometheus.yml", "port: 8080", "port: 8081", "shows metrics on port 8081"},
		"metrics of no service":               {"deploy/prometheus/prometheus.yml", "names: [timeouts]", "names: [timeout]", "no service timeout"},
		"alerts that are not read":            {"deploy/prometheus/prometheus.yml", "rule_files: [alerts.yml]", "", "no rule_files"},
		"another Prometheus":                  {compose, "prom/prometheus:v3", "prom/prometheus:v2", "with whose parser"},
		"an old Go":                           {"deploy/Dockerfile", "golang:1", "golang:0", "not that of go.mod"},
		"an image that runs as root":          {"deploy/Dockerfile", "USER 65532:65532", "USER root", "no (?m)^USER"},
		"a program that is not there":         {"deploy/Dockerfile", "./cmd/ringline", "./cmd/ringlined", "cmd/ringlined"},
		"a key of no alert":                   {alerts, "annotations:", "annotation:", "annotation"},
		"a query that is none":                {alerts, "absent(up{job=\"coordinator\"} == 1)", "absent(up{job=\"coordinator\"} ==)", "RinglineNoCoordinator: "},
		"a metric that is none":               {alerts, "ringline_sweep_overdue_total", "ringline_sweeps_overdue_total", "no metric ringline_sweeps"},
		"a histogram as it is":                {alerts, "ringline_timer_lateness_seconds_bucket", "ringline_timer_lateness_seconds", "no metric ringline_timer"},
		"a label that is none":                {alerts, "{consumer=\"coordinators\"}", "{consumers=\"coordinators\"}", "no label consumers"},
		"a word that is never there":          {alerts, "store|expire_not_stored", "store|expire_unstored", "never \"expire_unstored\""},
		"a job that is none":                  {alerts, `up{job="timeouts"}`, `up{job="timeout"}`, "never \"timeout\""},
		"a group by nothing":                  {alerts, "sum by (where)", "sum by (place)", "groups by \"place\""},
		"a text with a label too many":        {alerts, "{{ $labels.where }}", "{{ $labels.reason }}", "reason"},
		"a severity that is none":             {alerts, "severity: page", "severity: critical", "severity \"critical\""},
		"a time that is none":                 {alerts, "for: 1m", "for: 1 minute", "for: "},
		"an alert without a section":          {"docs/operations.md", "### RinglineGarbage\n", "### Garbage\n", "no section of that name"},
		"a section without an alert":          {"docs/operations.md", "### RinglineGarbage\n", "### RinglineGarbage\n\n### RinglineRubbish\n", "no alert RinglineRubbish"},
		"a link to another section":           {alerts, "#ringlinegarbage", "#ringlinebacklog", "what_to_do is not"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			s := site{root: copied(t), ringline: ringline}
			plant(t, filepath.Join(s.root, m.file), m.old, m.new)
			found := s.findings(t)
			if !slices.ContainsFunc(found, func(text string) bool { return strings.Contains(text, m.finding) }) {
				t.Errorf("want a finding with %q, got %q", m.finding, found)
			}
		})
	}
}

// copied returns a copy of everything that is checked.
func copied(t *testing.T) string {
	t.Helper()
	from, to := repo(t), t.TempDir()
	for _, file := range []string{
		"compose.yaml", "go.mod", "cmd/ringline/main.go", "docs/operations.md", "deploy/Dockerfile", "deploy/nats/nats.conf",
		"deploy/prometheus/prometheus.yml", "deploy/prometheus/alerts.yml", "tests/compose/go.mod",
	} {
		data, err := os.ReadFile(filepath.Join(from, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, file)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// plant replaces the first occurrence of a text.
func plant(t *testing.T, file, old, new string) {
	t.Helper()
	data, err := os.ReadFile(file) //nolint:gosec // a copy of ours
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s: there is no %q to replace", file, old)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}
