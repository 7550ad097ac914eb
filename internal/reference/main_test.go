package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"ringline.io/ringline/events"
)

// TestReference checks that docs/reference.md is up to date with the schemas and the code.
func TestReference(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reference.md")
	if err := run(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("docs/reference.md is not up to date: run make generate")
	}
	checkLinks(t, string(got))
	for _, bad := range []string{"<no value>", "|  |  |  |  |  |", "%!", "\n| |"} {
		if strings.Contains(string(got), bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	for row := range strings.Lines(string(got)) { // the first cell names the subject of a row
		if strings.HasPrefix(row, "|  |") {
			t.Errorf("a row without a name: %s", row)
		}
	}
}

// TestEveryKindHasARow checks that a row of the tables of transitions has each kind of notification.
func TestEveryKindHasARow(t *testing.T) {
	open, err := notificationTable()
	if err != nil {
		t.Fatal(err)
	}
	over, err := endsTable()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range events.Kinds() {
		if !strings.Contains(open+over, code(string(k))) {
			t.Errorf("no row with %s: add its transition to notificationTable or endsTable", k)
		}
	}
}

// checkLinks checks the targets of all links within the page.
func checkLinks(t *testing.T, page string) {
	t.Helper()
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$|<a id="([^"]+)">`).FindAllStringSubmatch(page, -1) {
		anchors[m[2]] = true
		anchors[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '_', r == '-':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])] = true
	}
	links := regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(page, -1)
	for _, m := range links {
		if !anchors[m[1]] {
			t.Errorf("link to missing anchor #%s", m[1])
		}
	}
	if len(links) < 30 {
		t.Errorf("only %d links", len(links))
	}
}
