package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ringline.io/ringline/cmd/internal/settings"
)

func TestConfigShowsEverySetting(t *testing.T) {
	t.Parallel()
	cmd := program("ringline", "config")
	cmd.Env = append(cmd.Env, "RINGLINE_PARALLEL=17", "RINGLINE_NATS_URL=nats://me:hush@h1:4222,nats://hush@h2:4222", "RINGLINE_RING_TIMEOUT=soon")
	r := execute(t, cmd)
	for _, want := range []string{
		`(?m)^SETTING +VALUE +DEFAULT +UNIT +MEANING$`,
		`(?m)^RINGLINE_PARALLEL +17 +64 +number +commands in flight in each coordinator`,
		`(?m)^RINGLINE_NATS_URL +nats://h1:4222,nats://h2:4222 +nats://127.0.0.1:4222 +URLs +`,
		`(?m)^RINGLINE_NATS_TLS_CA +- +- +file +`,
		`(?m)^RINGLINE_RING_TIMEOUT +soon +60s +duration +`,
		`(?m)^RINGLINE_CALLS_MAX_BYTES +16GiB +16GiB +bytes +`,
	} {
		if !regexp.MustCompile(want).MatchString(r.stdout) {
			t.Errorf("no line %s in\n%s", want, r.stdout)
		}
	}
	if r.code != 0 || r.stderr != "" || strings.Contains(r.stdout, "hush") {
		t.Errorf("%+v", r)
	}
	fields := reflect.TypeFor[settings.Settings]().NumField() - 2 + reflect.TypeFor[settings.NATSTLS]().NumField() + reflect.TypeFor[settings.Edge]().NumField()
	if got := strings.Count(r.stdout, "\nRINGLINE_"); got != fields {
		t.Errorf("%d settings are shown, there are %d", got, fields)
	}
	help := execute(t, program("ringline", "--help")).stdout
	for _, x := range settings.List() {
		if x.Unit == "" || x.Desc == "" {
			t.Errorf("%s has unit %q and meaning %q", x.Name, x.Unit, x.Desc)
		}
		if !strings.Contains(help, "  "+x.Name+" ") {
			t.Errorf("--help does not name %s", x.Name)
		}
	}
}

func TestConfigChecksAllAtOnce(t *testing.T) {
	t.Parallel()
	if r := execute(t, program("ringline", "config", "--check")); r.code != 0 || r.stdout != "the settings are valid\n" {
		t.Errorf("without settings: %+v", r)
	}
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	cmd := program("ringline", "config", "--check")
	cmd.Env = append(cmd.Env,
		"RINGLINE_RING_TIMOUT=30s", "RINGLINE_LOG_LEVEL=", "RINGLINE_PARALLEL=many", "RINGLINE_CALLS_MAX_BYTES=1TB",
		"RINGLINE_REPLICAS=2", "RINGLINE_LINES_TTL=25h", "RINGLINE_NATS_URL=nats://me:hush@h:port",
		"RINGLINE_NATS_CREDS=a", "RINGLINE_NATS_NKEY=b", "RINGLINE_NATS_TLS_CA="+nowhere, "RINGLINE_NATS_TLS_KEY=c",
		"RINGLINE_HTTP=off", "RINGLINE_PPROF=true")
	r := execute(t, cmd)
	want := []string{
		"RINGLINE_RING_TIMOUT is not a setting; did you mean RINGLINE_RING_TIMEOUT?",
		"RINGLINE_LOG_LEVEL is empty: set a value or unset it",
		`RINGLINE_PARALLEL must be an integer, got "many"`,
		`RINGLINE_CALLS_MAX_BYTES must be a size such as 16GiB, 512MiB or 1000000, got "1TB"`,
		"RINGLINE_REPLICAS must be 1, 3 or 5, got 2",
		"RINGLINE_NATS_URL must be URLs such as nats://host:4222 (or tls, ws, wss), with commas between them",
		"RINGLINE_PPROF is true, but RINGLINE_HTTP is off: profiles need it",
		"RINGLINE_NATS_CREDS and RINGLINE_NATS_NKEY exclude each other: set one of them",
		"RINGLINE_NATS_TLS_CA: nats: error loading or parsing rootCA file: open " + nowhere + ": no such file or directory",
		"RINGLINE_NATS_TLS_KEY needs RINGLINE_NATS_TLS_CERT",
		"TTL of lines 25h0m0s must be at most the age of calls, 24h0m0s",
	}
	for _, w := range want {
		if !strings.Contains(r.stdout, w) {
			t.Errorf("%q is missing in\n%s", w, r.stdout)
		}
	}
	if lines := strings.Count(r.stdout, "\n"); r.code != exitFailed || lines != len(want) || strings.Contains(r.stdout+r.stderr, "hush") {
		t.Errorf("%d lines, want %d: %+v", lines, len(want), r)
	}
}

// The lower limit of RINGLINE_TIMERS applies only to commands that create streams. Workers start with any value.
func TestWorkersAcceptAnyLimits(t *testing.T) {
	t.Parallel()
	n := newNATS(t).start(t).setUp(t)
	const large = "RINGLINE_CALLS_MAX_BYTES=24GiB"
	n.startWorker(t, "timeouts", large, "RINGLINE_LOG_LEVEL=info").running(t)
	const want = "RINGLINE_TIMERS_MAX_BYTES must be at least 1/8 of RINGLINE_CALLS_MAX_BYTES, 3GiB, got 2GiB"
	checkRefused(t, n.ringline(t, []string{large}, "setup"), []string{want})
	dev := program("ringline", "dev", "--memory", "--port", "0", "--http", "off")
	dev.Env = append(dev.Env, large)
	checkRefused(t, execute(t, dev), []string{want})
	config := program("ringline", "config", "--check")
	config.Env = append(config.Env, large)
	if r := execute(t, config); r.code != exitFailed || r.stdout != want+"\n" {
		t.Errorf("config --check: %+v", r)
	}
}

// TestUnavailableHTTPAddress checks that the error names the source of the address.
func TestUnavailableHTTPAddress(t *testing.T) {
	t.Parallel()
	const addr = "192.0.2.1:0" // TEST-NET-1, assigned to no machine
	n := newNATS(t)
	checkRefused(t, n.ringline(t, []string{"RINGLINE_HTTP=" + addr}, "coordinator"), []string{"ringline: RINGLINE_HTTP " + addr + ": "})
	checkRefused(t, n.ringline(t, []string{"RINGLINE_HTTP=off"}, "timeouts", "--http", addr), []string{"ringline: --http " + addr + ": "})
}

func TestVersion(t *testing.T) {
	t.Parallel()
	r := execute(t, program("ringline", "version"))
	want := `^ringline     \S.*\nformats      begins calls in \d+, reads up to \d+\ngo           1\.\d+.* \w+/\w+\nnats-server  \d+\.\d+\.\d+.* \(embedded, for dev\)\nnats\.go      \d+\.\d+\.\d+\S*\n$`
	if r.code != 0 || !regexp.MustCompile(want).MatchString(r.stdout) {
		t.Errorf("%+v", r)
	}
}

// nkeys for the servers of these tests only.
const (
	nkeyPublic = "UAJHBL362INUDDBOIVF23NXATRMI3VOWMVPJ7L4ULBGXGX6FVHRSFVNE"
	nkeySeed   = "SUAFWSE3HEZGRFJIUL3LRG4CHDLOAXKHSCTWNDNHMLS7FZHYWBD5XP4MEM"
	otherSeed  = "SUAFUXQEKFVWIB7UFFZ7JTSM2AW3VIDPZLVVXRMPTVVJEMPOYJDBK37X7U"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNkey(t *testing.T) {
	t.Parallel()
	n := newNATS(t, func(o *server.Options) { o.Nkeys = []*server.NkeyUser{{Nkey: nkeyPublic}} }).start(t)
	env := []string{"RINGLINE_NATS_NKEY=" + write(t, "ours.nk", nkeySeed)}
	if r := n.ringline(t, env, "setup"); r.code != 0 {
		t.Fatalf("setup: %+v", r)
	}
	w := n.startWorker(t, "coordinator", env...).running(t)
	if r := n.ringline(t, env, "invite", "bob", "--user", "ann"); r.code != 0 {
		t.Errorf("invite: %+v", r)
	}
	w.end(syscall.SIGTERM)

	other := "RINGLINE_NATS_NKEY=" + write(t, "other.nk", otherSeed)
	for name, env := range map[string][]string{"another": {other}, "none": nil} {
		refused := n.startWorker(t, "timeouts", env...)
		<-refused.done
		if code := refused.cmd.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(refused.stderr.all(), "Authorization Violation; see RINGLINE_NATS_") {
			t.Errorf("%s: it ended with %d\n%s", name, code, refused.stderr.all())
		}
	}
}

func TestCredentialsAreChecked(t *testing.T) {
	t.Parallel()
	n := newNATS(t)
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"both": {
			[]string{"RINGLINE_NATS_CREDS=a", "RINGLINE_NATS_NKEY=b"},
			"RINGLINE_NATS_CREDS and RINGLINE_NATS_NKEY exclude each other",
		},
		"no creds file": {[]string{"RINGLINE_NATS_CREDS=/nowhere"}, "RINGLINE_NATS_CREDS: open /nowhere: "},
		"no creds":      {[]string{"RINGLINE_NATS_CREDS=" + write(t, "x.creds", "x")}, `x.creds has no "BEGIN NATS USER JWT"`},
		"no nkey file":  {[]string{"RINGLINE_NATS_NKEY=/nowhere"}, "RINGLINE_NATS_NKEY: nats: open /nowhere: "},
		"no nkey":       {[]string{"RINGLINE_NATS_NKEY=" + write(t, "x.nk", "x")}, "RINGLINE_NATS_NKEY: nkeys: no nkey seed"},
		"no CA":         {[]string{"RINGLINE_NATS_TLS_CA=" + write(t, "ca.pem", "x")}, "RINGLINE_NATS_TLS_CA: nats: "},
		"no key":        {[]string{"RINGLINE_NATS_TLS_CERT=x"}, "RINGLINE_NATS_TLS_CERT needs RINGLINE_NATS_TLS_KEY"},
		"no pair": {
			[]string{"RINGLINE_NATS_TLS_CERT=/nowhere", "RINGLINE_NATS_TLS_KEY=/nowhere"},
			"RINGLINE_NATS_TLS_CERT and _KEY: nats: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkRefused(t, n.ringline(t, c.env, "coordinator", "--http", "off"), []string{c.want})
		})
	}
}

// certificate creates a self-signed certificate for 127.0.0.1, as files and for a server.
func certificate(t *testing.T) (certFile, keyFile string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(loopback)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var cert, private bytes.Buffer
	if err := pem.Encode(&cert, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		t.Fatal(err)
	}
	if err := pem.Encode(&private, &pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}); err != nil {
		t.Fatal(err)
	}
	if pair, err = tls.X509KeyPair(cert.Bytes(), private.Bytes()); err != nil {
		t.Fatal(err)
	}
	return write(t, "cert.pem", cert.String()), write(t, "key.pem", private.String()), pair
}

// TestTLS uses mutual TLS.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key, pair := certificate(t)
	pool := x509.NewCertPool()
	pool.AddCert(pair.Leaf)
	n := newNATS(t, func(o *server.Options) {
		o.TLS, o.TLSVerify = true, true
		o.TLSConfig = &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: pool,
			ClientAuth: tls.RequireAndVerifyClientCert,
		}
	}).start(t)
	env := []string{"RINGLINE_NATS_TLS_CA=" + cert, "RINGLINE_NATS_TLS_CERT=" + cert, "RINGLINE_NATS_TLS_KEY=" + key}
	if r := n.ringline(t, env, "setup"); r.code != 0 {
		t.Fatalf("setup: %+v", r)
	}
	w := n.startWorker(t, "timeouts", env...).running(t)
	w.end(syscall.SIGTERM)
	stranger := n.startWorker(t, "timeouts", "RINGLINE_NATS_TLS_CA="+write(t, "other.pem", otherCertificate(t)))
	stranger.wait(&stranger.stderr, `certificate signed by unknown authority.*NATS is unreachable, waiting for it`)
	stranger.end(syscall.SIGTERM)
}

func otherCertificate(t *testing.T) string {
	t.Helper()
	file, _, _ := certificate(t)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
