package settings

import (
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"off": true, "127.0.0.1:8081": true, "0.0.0.0:8080": true, ":8080": true, "[::1]:0": true, "localhost:65535": true,
		"": false, "8080": false, "localhost": false, "localhost:": false, "localhost:99999": false, "localhost:-1": false, "::1:80": false,
	} {
		if got := validHTTP(addr); got != want {
			t.Errorf("address %q: %t", addr, got)
		}
	}
	for url, want := range map[string]bool{
		"h": true, "h:4222": true, "nats://h:4222": true, "tls://h": true, "ws://h:80": true, "WSS://h": true, "nats://u:p@h1, nats://h2": true,
		"http://x:1": false, "nats://h1,https://h2": false, "nats://": false,
	} {
		if got := validURLs(url); got != want {
			t.Errorf("URLs %q: %t", url, got)
		}
	}
}

func TestByteSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ByteSize{"16GiB": 16 << 30, "512 MiB": 512 << 20, "1000001": 1_000_001, "0": 0, "8388607TiB": 8388607 << 40} {
		var b ByteSize
		if err := b.Decode(text); err != nil || b != want {
			t.Errorf("%s is %d, %v, want %d", text, b, err, want)
		}
		if got := b.String(); got != strings.ReplaceAll(text, " ", "") {
			t.Errorf("%s is shown as %s", text, got)
		}
	}
	for _, text := range []string{"", "GiB", "1TB", "-1GiB", "-5", "8388608TiB", "9223372036854775808", "1.5GiB"} {
		var b ByteSize
		if err := b.Decode(text); err == nil {
			t.Errorf("%q is read as %d", text, b)
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"nats://127.0.0.1:4222": "nats://127.0.0.1:4222", "nats://u:p@h:1": "nats://h:1", "token@h": "h",
		"nats://u:p@a:1, tls://t@b:2": "nats://a:1,tls://b:2", "nats://u:p@x@h:1": "nats://h:1",
	} {
		if got := WithoutSecrets(in); got != want {
			t.Errorf("withoutSecrets(%s) = %s, want %s", in, got, want)
		}
	}
}
