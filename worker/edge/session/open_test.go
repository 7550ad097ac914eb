package session

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDeviceID(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		ofToken, said, want string
		ok                  bool
	}{
		{"", "laptop", "laptop", true},
		{"phone", "", "phone", true},
		{"phone", "phone", "phone", true},
		{"phone", "phone.1", "phone.1", true},
		{"phone", "phone1", "", false},
		{"phone", "laptop", "", false},
		{"phone", "Phone", "", false},
		{"phone", "pho", "", false},
		{"phone", "laptop.phone", "", false},
	} {
		if got, ok := deviceID(test.ofToken, test.said); got != test.want || ok != test.ok {
			t.Errorf("token %q, said %q: %q %v", test.ofToken, test.said, got, ok)
		}
	}
	one, ok := deviceID("", "")
	two, _ := deviceID("", "")
	if !ok || one == "" || one == two {
		t.Errorf("without a device: %q and %q, %v", one, two, ok)
	}
}

// The reason in a close frame has at most 123 bytes, in valid UTF-8.
func TestReason(t *testing.T) {
	t.Parallel()
	if got := reason("short"); got != "short" {
		t.Errorf("%q", got)
	}
	for _, long := range []string{strings.Repeat("x", 121), strings.Repeat("ü", 100), strings.Repeat("€", 100), strings.Repeat("x", 119) + "ü"} {
		got := reason(long)
		if len(got) > 120 || len(got) < 117 || !utf8.ValidString(got) || !strings.HasPrefix(long, got) {
			t.Errorf("%q becomes %q", long, got)
		}
	}
}
