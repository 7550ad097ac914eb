package settings

import "strings"

// WithoutSecrets removes user, password and token from the URLs.
func WithoutSecrets(natsURLs string) string {
	list := strings.Split(natsURLs, ",")
	for i, s := range list {
		s = strings.TrimSpace(s)
		if at := strings.LastIndexByte(s, '@'); at >= 0 {
			scheme, _, ok := strings.Cut(s, "://")
			s = s[at+1:]
			if ok {
				s = scheme + "://" + s
			}
		}
		list[i] = s
	}
	return strings.Join(list, ",")
}
