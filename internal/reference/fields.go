package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events"
	"ringline.io/ringline/events/jsonobject"
	"ringline.io/ringline/schemas"
	"ringline.io/ringline/worker/call"
)

// node is a part of a schema that keeps the order of its members.
type node struct {
	keys    []string
	members map[string]jsontext.Value
}

// UnmarshalJSON reads the members in order.
func (n *node) UnmarshalJSON(data []byte) error {
	list, err := jsonobject.Read(slices.Clone(data)) // the members share its memory
	if err != nil {
		return err
	}
	n.members = map[string]jsontext.Value{}
	for _, m := range list {
		n.keys = append(n.keys, m.Name)
		n.members[m.Name] = m.Value
	}
	return nil
}

// get decodes a member. It returns the zero value if the member is missing or has another type.
func get[T any](n node, key string) T {
	var v T
	if raw, ok := n.members[key]; ok && json.Unmarshal(raw, &v) != nil {
		var zero T
		return zero
	}
	return v
}

// at returns the part of a schema that the nested members in path lead to.
func at(name string, path ...string) (node, error) {
	text, err := schemas.Read(schemas.PathOf(name))
	if err != nil {
		return node{}, err
	}
	var n node
	if err := json.Unmarshal(text, &n); err != nil {
		return node{}, err
	}
	for _, p := range path {
		n = get[node](get[node](n, "properties"), p)
		if n.members == nil {
			return node{}, fmt.Errorf("reference: %s has no %s", name, p)
		}
	}
	return n, nil
}

func title(name string) (string, error) {
	n, err := at(name)
	return get[string](n, "title"), err
}

func about(name string, path ...string) (string, error) {
	n, err := at(name, path...)
	return strings.ReplaceAll(plain(get[string](n, "description")), "<", "&lt;"), err
}

// fields renders the table of an object's members.
func fields(name string, path ...string) (string, error) {
	return rows(name, func(string) bool { return true }, path...)
}

// common lists the fields that every command has. They have one table on the page.
func common() []string { return []string{"command_id", "user_id", "service", "device_id", "via"} }

// commonFields renders the table of the fields of every command.
func commonFields() (string, error) {
	return rows("command/"+string(events.VerbEnd), func(field string) bool { return slices.Contains(common(), field) })
}

// ownFields renders the table of the other fields of a command.
func ownFields(v events.Verb) (string, error) {
	table, err := rows("command/"+string(v), func(field string) bool { return !slices.Contains(common(), field) })
	if strings.Count(table, "\n") < 2 {
		table = "It has only the [common fields](#common-fields)."
	}
	return table, err
}

// takesService lists the verbs that a user or a service may send, or those that only users may send. Neither
// list has the verbs that only a service of Ringline may send.
func takesService(want bool) (string, error) {
	var list []string
	for _, v := range events.Verbs() {
		if v.Internal() {
			continue
		}
		p, err := at("command/"+string(v), "service")
		if err != nil {
			return "", err
		}
		if _, fixed := p.members["const"]; fixed != want {
			list = append(list, code(string(v)))
		}
	}
	return strings.Join(list, ", "), nil
}

// rows renders the table of those members of an object that show selects.
func rows(name string, show func(field string) bool, path ...string) (string, error) {
	n, err := at(name, path...)
	if err != nil {
		return "", err
	}
	t := newTable("field", "", "type", "")
	required := get[[]string](n, "required")
	properties := get[node](n, "properties")
	for _, key := range properties.keys {
		p := get[node](properties, key)
		if c := p.members["const"]; string(c) == `""` || !show(key) {
			continue // a field that allows only the empty string is always unset
		}
		must := ""
		if slices.Contains(required, key) {
			must = "required"
		}
		t.row(code(key), must, kindOf(p), plain(get[string](p, "description")))
	}
	return t.String(), nil
}

// plain removes text that only readers of the schemas need, and rules that the page states once.
func plain(s string) string {
	s = regexp.MustCompile(`; maxLength counts characters[^.]*`).ReplaceAllString(s, "")
	for _, stated := range []string{
		" Parsed strictly: an unknown field is an error. The app and the call come from the subject.",
		" A CloudEvents 1.0 event in structured JSON.",
		fmt.Sprintf(" 1 to %d characters of A-Z a-z 0-9 _ -.", events.MaxToken),
		fmt.Sprintf(" 1 to %d bytes of UTF-8 without control characters.", events.MaxName),
		fmt.Sprintf(" An opaque string of the app, at most %d bytes as written between its quotes in the JSON (with escapes).", events.MaxCustomData),
		" RFC 3339, UTC, exactly three fraction digits.",
		" The empty string counts as unset.",
	} {
		s = strings.ReplaceAll(s, stated, "")
	}
	return s
}

// kindOf describes the type of a member, with limits that no description mentions.
func kindOf(n node) string {
	target := n
	if all := get[[]node](n, "allOf"); len(all) == 1 {
		target = all[0]
	}
	if to := get[string](target, "$ref"); to != "" {
		return link(to)
	}
	if c, ok := n.members["const"]; ok {
		return code(strings.Trim(string(c), `"`))
	}
	if words := get[[]any](n, "enum"); len(words) > 0 {
		var list []string
		for _, w := range words {
			if w != "" {
				list = append(list, code(fmt.Sprint(w)))
			}
		}
		return strings.Join(list, ", ")
	}
	switch kind := get[string](n, "type"); kind {
	case "array":
		return "array of " + kindOf(get[node](n, "items")) + items(n)
	case "integer":
		if most := get[int](n, "maximum"); most != 0 && most != 1<<31-1 {
			return fmt.Sprintf("%d to %d", get[int](n, "minimum"), most)
		}
		return fmt.Sprintf("integer from %d", get[int](n, "minimum"))
	case "string":
		return stringKind(n)
	default:
		return kind
	}
}

// stringKind returns the type of a string. The section Conventions of the page defines token, name and time.
func stringKind(n node) string {
	switch pattern := get[string](n, "pattern"); {
	case strings.HasPrefix(pattern, "^[A-Za-z0-9_-]{") && strings.HasSuffix(pattern, fmt.Sprintf(",%d}$", events.MaxToken)):
		return "token"
	case get[int](n, "maxLength") == events.MaxName:
		return "name"
	case get[string](n, "format") == "date-time":
		return "time"
	}
	return "string"
}

func items(n node) string {
	least, most := get[int](n, "minItems"), get[int](n, "maxItems")
	switch {
	case least > 0 && most > 0:
		return fmt.Sprintf(", %d to %d", least, most)
	case most > 0:
		return fmt.Sprintf(", at most %d", most)
	}
	return ""
}

// link returns the link to the section that describes a part.
func link(ref string) string {
	name := strings.TrimSuffix(schemas.NameOf(strings.ReplaceAll(ref, "../", "")), "/v2")
	return "[" + strings.TrimPrefix(name, "part/") + "](#" + strings.ReplaceAll(name, "/", "-") + ")"
}

// words renders the table of a closed set: each word with its meaning.
func words(name string, path ...string) (string, error) {
	n, err := at(name, path...)
	if err != nil {
		return "", err
	}
	t := newTable(path[len(path)-1], "")
	meanings := get[[]string](n, "enumDescriptions")
	for i, w := range get[[]any](n, "enum") {
		if w != "" {
			t.row(code(fmt.Sprint(w)), meanings[i])
		}
	}
	return t.String(), nil
}

func verbs() []events.Verb       { return events.Verbs() }
func eventNames() []events.Event { return events.Events() }

// number formats a limit of package events for readers.
func number(name string) (string, error) {
	n, ok := map[string]int{
		"MaxToken": events.MaxToken, "MaxName": events.MaxName, "MaxUserName": events.MaxUserName,
		"MaxCustomData": events.MaxCustomData, "MaxCallees": events.MaxCallees, "MaxCommandKiB": events.MaxCommand >> 10,
		"MaxRejectedKiB": events.MaxRejected >> 10, "MaxCustom": events.MaxCustom, "MaxTransitionKiB": call.MaxTransition >> 10,
		"PerSender": call.PerSender,
	}[name]
	if !ok {
		return "", fmt.Errorf("reference: no limit %s", name)
	}
	s := strconv.Itoa(n)
	if n >= 1000 {
		s = s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s, nil
}

// kinds renders the table of the kinds of notification.
func kinds() (string, error) {
	t := newTable("event", "meaning", "`reason`", "`custom_data`", "`ring_remaining_ms`")
	for _, k := range events.Kinds() {
		n, err := at("notification/" + string(k))
		if err != nil {
			return "", err
		}
		properties, required := get[node](n, "properties"), get[[]string](n, "required")
		reason, data, left := "–", "–", "–"
		if p, ok := properties.members["reason"]; ok && len(p) > 0 {
			reason = kindOf(get[node](properties, "reason"))
		}
		if _, ok := properties.members["custom_data"]; ok {
			data, _, _ = strings.Cut(get[string](get[node](properties, "custom_data"), "description"), ". ")
		}
		if _, ok := properties.members["ring_remaining_ms"]; ok {
			left = "while the receiver waits"
			if slices.Contains(required, "ring_remaining_ms") {
				left = "always"
			}
		}
		t.row(code(string(k)), get[string](n, "description"), reason, data, left)
	}
	return t.String(), nil
}

// subjects renders the table of subjects from asyncapi.yaml.
func subjects() (string, error) {
	text, err := schemas.Read("asyncapi.yaml")
	if err != nil {
		return "", err
	}
	channel := regexp.MustCompile(`(?m)^  ([\w.]+):\n    address: (.+)\n    description: (.+)$`)
	t := newTable("subject", "what", "where it lives, and how to read it")
	seen := map[string]bool{}
	for _, m := range channel.FindAllStringSubmatch(string(text), -1) {
		id, address, about := m[1], m[2], strings.Trim(m[3], `"`)
		if address == "null" {
			continue
		}
		family, last, ok := strings.Cut(id, ".")
		if ok {
			address = strings.TrimSuffix(address, last) + map[string]string{"command": "<verb>", "api": "<method>"}[family]
		}
		address = regexp.MustCompile(`\{(\w+)\}`).ReplaceAllString(address, "<$1>")
		what, known := map[string]string{
			"command": "a [command](#commands)", "answer": "an [answer](#answers)", "answerOfProcess": "the same, with two tokens",
			"notifications": "a [notification](#notifications)", "api": "a [request](#requests-and-replies)",
			"events": "a copy of every [transition](#transitions)", "transitions": "the [transitions](#transitions) of a call",
			"rejected": "a [malformed command](#malformed-commands)", "sessions": "a [session event](#session-events)", "timer": "a deadline", "due": "a deadline that is due",
			"timerReach": "a reach deadline", "dueReach": "a reach deadline that is due",
		}[family]
		if !known {
			return "", fmt.Errorf("reference: what is %s?", id)
		}
		if !seen[address] {
			t.row(code(address), what, about)
		}
		seen[address] = true
	}
	return t.String(), nil
}
