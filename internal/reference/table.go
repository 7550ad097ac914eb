package main

import "strings"

// table is a Markdown table.
type table struct{ lines []string }

func newTable(head ...string) *table {
	t := &table{}
	t.row(head...)
	t.lines = append(t.lines, "|"+strings.Repeat(" --- |", len(head)))
	return t
}

func (t *table) row(cells ...string) {
	clean := make([]string, len(cells))
	for i, c := range cells {
		clean[i] = strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(c)
		if strings.HasPrefix(c, "`") { // in code, < needs no escape
			clean[i] = strings.NewReplacer("|", "\\|", "\n", " ").Replace(c)
		}
	}
	t.lines = append(t.lines, "| "+strings.Join(clean, " | ")+" |")
}

func (t *table) String() string { return strings.Join(t.lines, "\n") }

func code(s string) string { return "`" + s + "`" }
