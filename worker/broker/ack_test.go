package broker

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// TestReadAck covers the usual form of an ack and other valid JSON forms.
func TestReadAck(t *testing.T) {
	for data, want := range map[string]uint64{
		`{"stream":"S","seq":7}`:                     7,
		`{"stream":"S", "seq":8}`:                    8,
		`{"stream":"S","domain":"d","seq":9}`:        9,
		`{"stream":"S","seq":10,"duplicate":true}`:   10,
		`{"seq":11,"stream":"S"}`:                    11,
		`{"stream":"S\",\"seq\":5","seq":12}`:        12,
		`{"stream":"S","seq":18446744073709551615}`:  18446744073709551615,
		` {"stream":"S","domain":"x}","seq":13}    `: 13,
	} {
		if got, err := readAck([]byte(data)); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", data, got, err, want)
		}
	}
	for _, data := range []string{``, `{}`, `{"seq":1}`, `{"stream":"S","seq":-1}`, `{"stream":"S","seq":1`, `{"stream":"S","seq":1}}`} {
		if got, err := readAck([]byte(data)); err == nil {
			t.Errorf("%s gives %d", data, got)
		}
	}
	_, err := readAck([]byte(`{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 1"},"stream":"S","seq":0}`))
	if api, ok := errors.AsType[*jetstream.APIError](err); !ok || api.ErrorCode != 10071 {
		t.Errorf("an error is read as %v", err)
	}
}
