package main

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// keys is an nkey pair with its public key.
type keys struct {
	nkeys.KeyPair

	public string
}

func newKeys(t *testing.T, create func() (nkeys.KeyPair, error)) keys {
	t.Helper()
	pair, err := create()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return keys{pair, public}
}

func must[T any](t *testing.T, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// operator signs two accounts: one with JetStream, and the system account, which JetStream requires.
type operator struct {
	keys

	account, system keys
}

func newOperator(t *testing.T) operator {
	t.Helper()
	return operator{newKeys(t, nkeys.CreateOperator), newKeys(t, nkeys.CreateAccount), newKeys(t, nkeys.CreateAccount)}
}

// start starts a server that accepts only users of this operator's accounts.
func (o operator) start(t *testing.T) *natsServer {
	t.Helper()
	resolver := &server.MemAccResolver{}
	for _, k := range []keys{o.account, o.system} {
		claims := jwt.NewAccountClaims(k.public)
		if k == o.account {
			claims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
		}
		text, err := claims.Encode(o)
		if err := resolver.Store(k.public, must(t, text, err)); err != nil {
			t.Fatal(err)
		}
	}
	claims := jwt.NewOperatorClaims(o.public)
	claims.SystemAccount = o.system.public
	if _, err := claims.Encode(o); err != nil { // fills in the issuer
		t.Fatal(err)
	}
	return newNATS(t, func(opts *server.Options) {
		opts.TrustedOperators, opts.AccountResolver = []*jwt.OperatorClaims{claims}, resolver
		opts.SystemAccount = o.system.public
	}).start(t)
}

// creds returns the creds file of a new user. A zero expires means that it never expires.
func (o operator) creds(t *testing.T, expires time.Time) string {
	t.Helper()
	u := newKeys(t, nkeys.CreateUser)
	claims := jwt.NewUserClaims(u.public)
	if !expires.IsZero() {
		claims.Expires = expires.Unix()
	}
	text, err := claims.Encode(o.account)
	must(t, text, err)
	seed, err := u.Seed()
	file, err2 := jwt.FormatUserConfig(text, must(t, seed, err))
	return string(must(t, file, err2))
}

// TestCreds runs against a server in operator mode, which rejects every client without a creds file.
func TestCreds(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	n := o.start(t)
	creds := "RINGLINE_NATS_CREDS=" + write(t, "ours.creds", o.creds(t, time.Time{}))
	if r := n.ringline(t, []string{creds}, "setup"); r.code != 0 {
		t.Fatalf("setup: %+v", r)
	}
	w := n.startWorker(t, "coordinator", creds).running(t)
	if r := n.ringline(t, []string{creds}, "invite", "bob", "--user", "ann", "--call", "c1"); r.code != 0 {
		t.Errorf("invite: %+v", r)
	}
	if r := n.ringline(t, []string{creds}, "get", "c1", "--json"); !strings.Contains(r.stdout, `"state":"ringing"`) {
		t.Errorf("get: %+v", r)
	}

	stranger := write(t, "stranger.creds", newOperator(t).creds(t, time.Time{}))
	checkRefusedByNATS(t, n, "RINGLINE_NATS_CREDS="+stranger, "Authorization Violation; see RINGLINE_NATS_CREDS, "+stranger)
	without := "RINGLINE_APP=demo" // no credentials at all
	checkRefusedByNATS(t, n, without, "Authorization Violation; see RINGLINE_NATS_CREDS, RINGLINE_NATS_NKEY or the user in")
	w.end(syscall.SIGTERM)
}

func checkRefusedByNATS(t *testing.T, n *natsServer, env, want string) {
	t.Helper()
	for _, args := range [][]string{{"coordinator", "--http", "off"}, {"setup"}, {"get", "c1"}} {
		if r := n.ringline(t, []string{env}, args...); r.code != exitFailed || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: %+v, want %q", args, r, want)
		}
	}
}

// TestExpiringCreds uses a creds file that expires while a worker runs.
func TestExpiringCreds(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	n := o.start(t)
	if r := n.ringline(t, []string{"RINGLINE_NATS_CREDS=" + write(t, "ours.creds", o.creds(t, time.Time{}))}, "setup"); r.code != 0 {
		t.Fatalf("setup: %+v", r)
	}
	short := write(t, "short.creds", o.creds(t, time.Now().Add(3*time.Second)))
	r := n.ringline(t, []string{"RINGLINE_NATS_CREDS=" + short}, "timeouts", "--http", "off")
	late := strings.Contains(r.stderr, "; see RINGLINE_NATS_CREDS, "+short)
	early := strings.Contains(r.stderr, short+" expired at ") // if the start took 3 s
	if r.code != exitFailed || !late && !early {
		t.Errorf("%+v", r)
	}
}

// TestBrokenCreds uses files that are malformed or that no server can accept. The error does not need a server.
func TestBrokenCreds(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	n := newNATS(t)
	good, other := o.creds(t, time.Time{}), o.creds(t, time.Time{})
	seed := regexp.MustCompile(`SU[A-Z2-7]{56}`)
	for name, c := range map[string]struct{ text, want string }{
		"another's seed":      {seed.ReplaceAllString(good, seed.FindString(other)), "but its user JWT belongs to U"},
		"a seed that is none": {strings.Replace(good, "\nSU", "\nSX", 1), "the seed in "},
		"a JWT that is none":  {strings.Replace(good, "\ney", "\nxx", 1), "the user JWT in "},
		"an expired one":      {o.creds(t, time.Now().Add(-time.Hour)), " expired at 20"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, "bad.creds", c.text)
			env := []string{"RINGLINE_NATS_CREDS=" + file}
			checkRefused(t, n.ringline(t, env, "coordinator", "--http", "off"), []string{"RINGLINE_NATS_CREDS: the ", file, c.want})
			if r := n.ringline(t, env, "config", "--check"); r.code != exitFailed || !strings.Contains(r.stdout, c.want) {
				t.Errorf("config --check: %+v", r)
			}
		})
	}
}
