package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// bucket is a server with an app bucket.
type bucket struct {
	t *testing.T
	d *devServer
}

// says requires that a command succeeds and that its output matches. It returns the groups.
func (b bucket) says(args, pattern string) []string {
	b.t.Helper()
	return b.readsFrom("", args, pattern)
}

// readsFrom is like says, with standard input.
func (b bucket) readsFrom(in, args, pattern string) []string {
	b.t.Helper()
	cmd := program("ringline", append(strings.Fields(args), "--nats-url", b.d.nats)...)
	cmd.Stdin = strings.NewReader(in)
	r := execute(b.t, cmd)
	m := regexp.MustCompile(`^(?:` + pattern + `)$`).FindStringSubmatch(r.stdout)
	if r.code != exitOK || r.stderr != "" || m == nil {
		b.t.Fatalf("%s: %+v, want %q", args, r, pattern)
	}
	return m
}

// refuses requires that a command fails with this error and prints nothing.
func (b bucket) refuses(args, want string) {
	b.t.Helper()
	r := b.d.run(b.t, strings.Fields(args)...)
	if r.code == exitOK || r.stdout != "" || !strings.Contains(r.stderr, want) {
		b.t.Errorf("%s: %+v, want %q", args, r, want)
	}
}

// pemFiles writes both keys of a pair.
func pemFiles(t *testing.T, private any, public any) (privatePath, publicPath string) {
	t.Helper()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pkix, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	write := func(kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("PRIVATE KEY", pkcs8), write("PUBLIC KEY", pkix)
}

const fingerprint = `fingerprint [0-9a-f]{16}`

// TestAppKeys adds, lists and removes keys of each kind. A secret is shown exactly once.
func TestAppKeys(t *testing.T) {
	t.Parallel()
	b := bucket{t, startDev(t, "--memory")}
	b.says("app key list demo", "demo  has no token keys, so its users can't open sessions\n")
	secret := b.says("app key add demo --hs256",
		`demo  key k1  HS256  `+fingerprint+`\nsecret  ([A-Za-z0-9_-]{43})\n\nThe secret is not shown again\.(?s:.*)"kid": "k1"(?s:.*)`)[1]
	b.says("app key add demo --hs256 --kid spring", `demo  key spring  HS256  (?s:.*)`)
	b.refuses("app key add demo --hs256", "token_keys: must have at most 2 of HS256, got 3")
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, public := pemFiles(t, edPrivate, edPublic)
	b.says("app key add demo --public-key "+public, `demo  key k2  EdDSA  `+fingerprint+`\n`)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ecPublic := pemFiles(t, ec, ec.Public())
	b.says("app key add demo --kid ec --public-key "+ecPublic, `demo  key ec  ES256  `+fingerprint+`\n`)
	list := b.says("app key list demo", `(k1  HS256  `+fingerprint+`\nspring  HS256  `+fingerprint+`\nk2  EdDSA  `+fingerprint+`\nec  ES256  `+fingerprint+`\n)`)[1]
	for _, shown := range []string{list, b.says("app get demo", `(?s)(.*)`)[1], b.says("app list", `(?s)(.*)`)[1], b.says("app set demo --capacity 2", `(?s)(.*)`)[1]} {
		if strings.Contains(shown, secret) || strings.Contains(shown, "PUBLIC") {
			t.Errorf("a key is shown: %s", shown)
		}
	}
	b.says("app get demo", "demo  capacity 2, token keys k1 spring k2 ec\n")
	b.says("app key remove demo k1", "demo  key k1 is removed: its tokens no longer open sessions\n")
	b.refuses("app key remove demo k1", "app demo has no key k1; it has: spring k2 ec")
	b.says("app get demo", "demo  capacity 2, token keys spring k2 ec\n")
	b.says("app key add demo --hs256", `demo  key k3  (?s:.*)`)

	b.refuses("app key add demo --public-key "+private, private+": must be a public key, got a private one")
	b.refuses("app key add demo --public-key /nowhere", "no such file")
	b.refuses("app key add demo --hs256 --kid a.b", "--kid: must be 1 to 64 characters")
	b.refuses("app key add demo --kid k2 --public-key "+public, "token_keys[4].kid: given twice")
	for args, want := range map[string]string{
		"app key add demo": "--hs256 or --public-key is missing", "app key add --hs256": "APP is missing", "app key remove demo": "KID is missing",
		"app key add demo --hs256 --public-key x": "--hs256 and --public-key exclude each other", "app key list demo x": `unexpected argument "x"`,
		"app key shout": `unknown command "shout"`, "app revoke demo": "USER is missing",
	} {
		if r := execute(t, program("ringline", strings.Fields(args)...)); r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v, want %q", args, r, want)
		}
	}
}

// TestAppOrigins: each setting replaces the list.
func TestAppOrigins(t *testing.T) {
	t.Parallel()
	b := bucket{t, startDev(t, "--memory")}
	b.says("app set demo --origin https://app.example.com --origin http://localhost:3000", "demo  origins https://app.example.com http://localhost:3000\n")
	b.says("app set demo --origin https://b.example.com --capacity 3", "demo  capacity 3, origins https://b.example.com\n")
	b.refuses("app set demo --origin *", "origins[0]: must name one origin")
	b.refuses("app set demo --origin https://a.b --origin https://a.b/x", "origins[1]: must be scheme://host")
	b.says("app get demo", "demo  capacity 3, origins https://b.example.com\n")
	if r := b.d.run(t, "app", "set", "demo", "--origin", ""); r.stdout != "demo  capacity 3\n" {
		t.Errorf("none left: %+v", r)
	}
}

// TestTokens mints, inspects and revokes tokens with each kind of key, through the command line.
func TestTokens(t *testing.T) {
	t.Parallel()
	b := bucket{t, startDev(t, "--memory")}
	b.refuses("token mint --user ann", "app demo has no secret; `ringline app key add demo --hs256` creates one")
	b.says("app key add demo --hs256", `(?s).*`)
	const raw = `([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)\n`
	ann := b.says("token mint --user ann --name Ann --device phone", raw)[1]
	clock := `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+, `
	all := `app +demo\nuser +ann\nname +Ann\ndevice +phone\naudience +ringline\nissued +` + clock + `(?:\d+ min )?\d+ s ago\nexpires +` + clock +
		`in \d+ min \d+ s\nalg +HS256\nkid +k1\naccepted +`
	b.says("token inspect "+ann, all+`yes\n`)
	b.readsFrom(" "+ann+"\n", "token inspect", all+`yes\n`)
	b.readsFrom(ann, "token inspect -", all+`yes\n`)
	b.says("token inspect --offline "+ann, all+`unknown, the signature is not checked: --offline\n`)
	b.says("token inspect --audience calls "+ann, all+`no, token: invalid: aud is not "calls"\n`)
	offline := program("ringline", "token", "inspect", ann, "--nats-url", "nats://127.0.0.1:"+freePort(t))
	if r := execute(t, offline); r.code != exitOK || !strings.Contains(r.stdout, "accepted  unknown, the signature is not checked: no NATS server at") {
		t.Errorf("without NATS: %+v", r)
	}
	b.says("token inspect "+b.says("token mint --app demo --user bob --ttl 26h --audience calls", raw)[1],
		`app +demo\nuser +bob\naudience +calls\nissued(?s:.*)in 1 d 1 h\n(?s:.*)accepted +no, token: invalid: aud is not "ringline"\n`)

	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	privatePath, publicPath := pemFiles(t, private, public)
	eve := b.says("token mint --user eve --kid ed --key "+privatePath, raw)[1]
	b.says("token inspect "+eve, `(?s).*alg +EdDSA\nkid +ed\naccepted +no, token: invalid: app demo has no key of its kid\n`)
	b.says("app key add demo --kid ed --public-key "+publicPath, `(?s).*`)
	b.says("token inspect "+eve, `(?s).*accepted +yes\n`)
	b.says("app key add demo --hs256 --kid new", `(?s).*`)
	b.says("token inspect "+b.says("token mint --user ann", raw)[1], `(?s).*kid +new\naccepted +yes\n`)
	b.says("token inspect "+b.says("token mint --user ann --kid k1", raw)[1], `(?s).*kid +k1\naccepted +yes\n`)
	b.refuses("token mint --user ann --kid ed", "app demo has no secret ed")
	b.says("token inspect "+b.says("token mint --app other --user ann --key "+privatePath, raw)[1], `(?s).*accepted +unknown, the signature is not checked: app other is not in RINGLINE_APPS\n`)
	b.revoke(ann, eve)

	b.refuses("token inspect x.y", "token: invalid: is not a JWT: must have 3 parts, got 2")
	b.refuses("token inspect "+strings.Repeat("x", 4097), "token: invalid: must be at most 4096 bytes, got 4097")
	b.refuses("token mint --user ann --device "+strings.Repeat("d", 97), "device must be a device id of at most 96 bytes")
	b.refuses("token mint --user ann --key "+publicPath, "a private key must be PEM of PKCS #8")
	for args, want := range map[string]string{
		"token mint": "--user is missing", "token mint --user ann --ttl 1.5s": "--ttl: must be whole seconds", "token mint x --user ann": `unexpected argument "x"`,
		"token inspect a b": "unexpected argument",
	} {
		if r := execute(t, program("ringline", strings.Fields(args)...)); r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v, want %q", args, r, want)
		}
	}
}

// revoke revokes the tokens of ann, and not those of eve.
func (b bucket) revoke(ann, eve string) {
	b.t.Helper()
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	b.says("app revoke demo ann --before 2026-01-01T00:00:00+01:00", `demo  tokens of ann issued before 2025-12-31T23:00:00.000Z are revoked(?s:.*)Log ann out(?s:.*)`)
	b.says("token inspect "+ann, `(?s).*accepted +yes\n`)
	b.says("app revoke demo ann --before "+later, `demo  tokens of ann issued before `+later[:19]+`.000Z are revoked: sessions that used one\n(?s:.*)`)
	b.says("token inspect "+ann, `(?s).*accepted +no, token: revoked\n`)
	b.says("token inspect "+eve, `(?s).*accepted +yes\n`)
	b.says("app get demo", "demo  token keys k1 ed new, revoked tokens of 1 user\n")
	b.refuses("app revoke demo ann", "are already revoked before "+later[:19]+".000Z, which is later; --undo removes that revocation")
	b.says("app revoke demo ann --undo", "demo  no tokens of ann are revoked now\n")
	b.refuses("app revoke demo ann --undo", "no tokens of ann are revoked")
	b.says("token inspect "+ann, `(?s).*accepted +yes\n`)
	b.says("app revoke demo ann", `(?s).*`)
	b.says("token inspect "+ann, `(?s).*accepted +no, token: revoked\n`)
	b.refuses("app revoke demo ann --before yesterday", `--before: must be a time such as 2026-11-24T10:00:00Z, got "yesterday"`)
	b.refuses("app revoke demo ann --undo --before "+later, "--before and --undo exclude each other")
	b.refuses("app revoke demo "+strings.Repeat("u", 129), "not_before: user id: must be 1 to 128 bytes")
}
