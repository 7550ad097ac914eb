package events

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxOrigin is the maximum length of an origin in bytes.
const MaxOrigin = 300

// OriginPattern matches an origin as a browser writes it: scheme://host[:port].
const OriginPattern = `^https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$`

// CheckOrigin checks the origin of a page, such as https://app.example.com or http://localhost:3000. It must be
// written as browsers send it, because origins are compared byte by byte.
func CheckOrigin(field, s string) error {
	return checkOrigin(regexp.MustCompile(OriginPattern), field, s)
}

func checkOrigin(pattern *regexp.Regexp, field, s string) error {
	const want = "must be scheme://host or scheme://host:port in lower case, such as https://app.example.com"
	switch {
	case strings.Contains(s, "*"):
		return invalid("%s: must name one origin, got %s: wildcards are not allowed, because every page could then use a user's session", field, quoted(s))
	case len(s) > MaxOrigin:
		return invalid("%s: must be at most %d bytes, got %d", field, MaxOrigin, len(s))
	case !pattern.MatchString(s):
		return invalid("%s: %s, got %s", field, want, quoted(s))
	}
	return checkPort(field, s)
}

// checkPort rejects ports that no browser sends: invalid ports and the default port of the scheme.
func checkPort(field, origin string) error {
	scheme, host, _ := strings.Cut(origin, "://")
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.HasSuffix(host, "]") {
		return nil
	}
	port, err := strconv.ParseUint(host[i+1:], 10, 16)
	if err != nil {
		return invalid("%s: its port must be 1 to 65535, got %s", field, quoted(origin))
	}
	if scheme == "https" && port == 443 || scheme == "http" && port == 80 {
		return invalid("%s: omit the default port %d, as browsers do, got %s", field, port, quoted(origin))
	}
	return nil
}

func readOrigins(raw jsontext.Value) ([]string, error) {
	items, bad := readItems("origins", raw, MaxOrigins)
	if bad != nil {
		return nil, bad
	}
	pattern := regexp.MustCompile(OriginPattern)
	origins, there := make([]string, len(items)), map[string]bool{}
	for i, item := range items {
		where := fmt.Sprintf("origins[%d]", i)
		s, err := readString(item)
		if err != nil {
			return nil, invalid("%s: %v", where, err)
		}
		if bad := checkOrigin(pattern, where, s); bad != nil {
			return nil, bad
		}
		if there[s] {
			return nil, invalid("%s: given twice", where)
		}
		origins[i], there[s] = s, true
	}
	return origins, nil
}
