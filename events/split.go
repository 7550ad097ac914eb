package events

import (
	"bytes"
	"encoding/json"
)

// split splits an object like readObject, but without a decoder. If it reports false, the input may still be an
// object.
func split(data []byte) ([]member, bool) {
	list := make([]member, 0, 8)
	ok := walk(data, '{', '}', func(rest []byte) int {
		end := stringEnd(rest)
		if end == 0 || bytes.IndexByte(rest[:end], '\\') >= 0 {
			return 0
		}
		at := end + blank(rest[end:])
		if at == len(rest) || rest[at] != ':' {
			return 0
		}
		at += 1 + blank(rest[at+1:])
		size := valueEnd(rest[at:])
		if size == 0 {
			return 0
		}
		list = append(list, member{fieldName(rest[1 : end-1]), rest[at : at+size]})
		return at + size
	})
	return list, ok
}

// splitItems splits an array in the same way.
func splitItems(data []byte) (list []json.RawMessage, ok bool) {
	ok = walk(data, '[', ']', func(rest []byte) int {
		size := valueEnd(rest)
		list = append(list, rest[:size])
		return size
	})
	return list, ok
}

// walk calls one for each comma-separated item between open and end. one returns the size of the item, or 0 on
// failure.
func walk(data []byte, open, end byte, one func(rest []byte) int) bool {
	at := blank(data)
	if at == len(data) || data[at] != open {
		return false
	}
	at += 1 + blank(data[at+1:])
	for first := true; at < len(data); first = false {
		switch {
		case data[at] == end:
			at++
			return at+blank(data[at:]) == len(data)
		case !first && data[at] != ',':
			return false
		case !first:
			at += 1 + blank(data[at+1:])
		}
		size := one(data[at:])
		if size == 0 {
			return false
		}
		at += size
		at += blank(data[at:])
	}
	return false
}

// blank returns the size of the leading white space.
func blank(data []byte) int {
	for i, b := range data {
		if b != ' ' && b != '\t' && b != '\n' && b != '\r' {
			return i
		}
	}
	return len(data)
}

// valueEnd returns the size of the leading JSON value, or 0 if there is no well-formed one.
func valueEnd(data []byte) int {
	size := 0
	switch {
	case len(data) == 0:
		return 0
	case data[0] == '"':
		if size = stringEnd(data); size > 0 && bytes.IndexByte(data[:size], '\\') < 0 {
			return size
		}
	case data[0] == '{', data[0] == '[':
		size = nestedEnd(data)
	default:
		if size = bytes.IndexAny(data, ",]} \t\r\n"); size < 0 {
			size = len(data)
		}
	}
	if size == 0 || !json.Valid(data[:size]) {
		return 0
	}
	return size
}

// stringEnd returns the size of the leading string including its quotes, or 0 if there is none.
func stringEnd(data []byte) int {
	if len(data) == 0 || data[0] != '"' {
		return 0
	}
	for i := 1; i < len(data); i++ {
		switch b := data[i]; {
		case b == '"':
			return i + 1
		case b == '\\':
			i++
		case b < ' ':
			return 0
		}
	}
	return 0
}

// nestedEnd returns the size of the leading object or array, or 0 if it is not closed.
func nestedEnd(data []byte) int {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			size := stringEnd(data[i:])
			if size == 0 {
				return 0
			}
			i += size - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// fieldName converts b to a string without an allocation for the fields of a command.
func fieldName(b []byte) string {
	switch string(b) {
	case "command_id":
		return "command_id"
	case "call_id":
		return "call_id"
	case "user_id":
		return "user_id"
	case "service":
		return "service"
	case "device_id":
		return "device_id"
	case "custom_data":
		return "custom_data"
	case "user_name":
		return "user_name"
	case "call_type":
		return "call_type"
	case "callees":
		return "callees"
	case "ring_timeout_s":
		return "ring_timeout_s"
	case "attempt":
		return "attempt"
	}
	return string(b)
}
