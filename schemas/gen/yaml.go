package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events/jsonobject"
)

// yaml encodes a tree as YAML and keeps the order of its members.
func yaml(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	w := &yamlWriter{plain: regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.{}-]*$`)}
	if err == nil {
		err = w.value(text, "")
	}
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return w.out.Bytes(), nil
}

// yamlWriter writes encoded JSON, which has the members in order.
type yamlWriter struct {
	out   bytes.Buffer
	plain *regexp.Regexp // strings that need no quotes
}

// value writes a value at this depth. The text before it on the line is already written.
func (w *yamlWriter) value(v jsontext.Value, indent string) error {
	kind := v.Kind()
	if kind == jsontext.KindBeginObject {
		return w.members(v, indent)
	}
	if kind == jsontext.KindBeginArray {
		return w.items(v, indent)
	}
	text := string(v)
	if kind == jsontext.KindString {
		var s string
		if err := json.Unmarshal(v, &s); err != nil {
			return err
		}
		text = w.scalar(s, indent)
	}
	w.out.WriteString(" " + text + "\n")
	return nil
}

func (w *yamlWriter) members(v jsontext.Value, indent string) error {
	members, err := jsonobject.Read(v)
	if err != nil {
		return err
	}
	if len(members) == 0 {
		w.out.WriteString(" {}\n")
	} else if w.out.Len() > 0 {
		w.out.WriteString("\n")
	}
	for _, m := range members {
		w.out.WriteString(indent + w.scalar(m.Name, "") + ":")
		if err := w.value(m.Value, indent+"  "); err != nil {
			return err
		}
	}
	return nil
}

func (w *yamlWriter) items(v jsontext.Value, indent string) error {
	var items []jsontext.Value
	if err := json.Unmarshal(v, &items); err != nil {
		return err
	}
	if len(items) == 0 {
		w.out.WriteString(" []\n")
	} else {
		w.out.WriteString("\n")
	}
	for _, item := range items {
		text, err := yaml(item)
		if err != nil {
			return err
		}
		body := strings.TrimSpace(strings.ReplaceAll(string(text), "\n", "\n"+indent+"  "))
		w.out.WriteString(indent + "- " + body + "\n")
	}
	return nil
}

func (w *yamlWriter) scalar(s, indent string) string {
	switch {
	case strings.Contains(s, "\n"):
		return "|-\n" + indent + strings.ReplaceAll(strings.ReplaceAll(s, "\n", "\n"+indent), indent+"\n", "\n")
	case w.plain.MatchString(s) && s != "true" && s != "false" && s != "null":
		return s
	}
	quoted, err := json.Marshal(s, jsontext.EscapeForHTML(true))
	if err != nil {
		return `""`
	}
	return string(quoted)
}
