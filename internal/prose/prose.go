// Package prose checks the language of the repository: comments, documents, messages and identifiers. Its test reads every
// tracked text file and reports words that readers stumble over. words.go has the list and its exceptions.
package prose

import (
	"regexp"
	"slices"
	"strings"
)

// Finding is a word to avoid.
type Finding struct {
	Line         int
	Word, Better string
}

// Checker finds words to avoid.
type Checker struct {
	any     *regexp.Regexp
	single  []*regexp.Regexp
	better  []string
	allowed *strings.Replacer
}

// New returns a Checker of the rules in words.go.
func New() *Checker {
	c := &Checker{}
	var all, pairs []string
	for _, r := range rules() {
		all = append(all, r.words)
		c.single = append(c.single, word(r.words))
		c.better = append(c.better, r.better)
	}
	for _, a := range allowed() {
		pairs = append(pairs, a, "")
	}
	c.any, c.allowed = word(strings.Join(all, "|")), strings.NewReplacer(pairs...)
	return c
}

func word(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b(?:` + pattern + `)\b`) }

// Find returns the words to avoid in a text, in order.
func (c *Checker) Find(text string) []Finding {
	var found []Finding
	for i, line := range strings.Split(text, "\n") {
		if !c.any.MatchString(line) {
			continue
		}
		line = c.allowed.Replace(line)
		for k, p := range c.single {
			for _, w := range p.FindAllString(line, -1) {
				found = append(found, Finding{i + 1, w, c.better[k]})
			}
		}
	}
	return found
}

// Skips reports whether a file, by its path with slashes, is not checked.
func Skips(path string) bool {
	return slices.ContainsFunc(skipped(), func(s string) bool {
		if strings.Contains(s, "/") {
			return path == s || strings.HasPrefix(path, s+"/")
		}
		return slices.Contains(strings.Split(path, "/"), s)
	})
}
