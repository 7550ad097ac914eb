package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// yaml encodes a tree as YAML and keeps the order of its members.
func yaml(v any) ([]byte, error) {
	line, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	w := &yamlWriter{dec: dec, plain: regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.{}-]*$`)}
	if err := w.value(""); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return w.out.Bytes(), nil
}

// yamlWriter reads encoded JSON, which has the members in order.
type yamlWriter struct {
	dec   *json.Decoder
	out   bytes.Buffer
	plain *regexp.Regexp // strings that need no quotes
}

// value writes the next value at this depth. The text before it on the line is already written.
func (w *yamlWriter) value(indent string) error {
	t, err := w.dec.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return w.members(indent)
	case json.Delim('['):
		return w.items(indent)
	}
	w.out.WriteString(" " + w.scalar(t, indent) + "\n")
	return nil
}

func (w *yamlWriter) members(indent string) error {
	if !w.dec.More() {
		w.out.WriteString(" {}\n")
	} else if w.out.Len() > 0 {
		w.out.WriteString("\n")
	}
	for w.dec.More() {
		key, err := w.dec.Token()
		if err != nil {
			return err
		}
		w.out.WriteString(indent + w.scalar(key, "") + ":")
		if err := w.value(indent + "  "); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}

func (w *yamlWriter) items(indent string) error {
	if !w.dec.More() {
		w.out.WriteString(" []\n")
	} else {
		w.out.WriteString("\n")
	}
	for w.dec.More() {
		var item json.RawMessage
		if err := w.dec.Decode(&item); err != nil {
			return err
		}
		text, err := yaml(item)
		if err != nil {
			return err
		}
		body := strings.TrimSpace(strings.ReplaceAll(string(text), "\n", "\n"+indent+"  "))
		w.out.WriteString(indent + "- " + body + "\n")
	}
	_, err := w.dec.Token()
	return err
}

func (w *yamlWriter) scalar(t json.Token, indent string) string {
	s, ok := t.(string)
	switch {
	case t == nil:
		return "null"
	case !ok:
		return fmt.Sprint(t)
	case strings.Contains(s, "\n"):
		return "|-\n" + indent + strings.ReplaceAll(strings.ReplaceAll(s, "\n", "\n"+indent), indent+"\n", "\n")
	case w.plain.MatchString(s) && s != "true" && s != "false" && s != "null":
		return s
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(quoted)
}
