package main

import (
	"fmt"

	"ringline.io/ringline/events"
)

// Limits of ids and texts. The patterns have the same meaning in ECMAScript and Go.
const (
	noControls  = `^[^\x00-\x1f\x7f-\x9f]*$`
	timePattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$`
)

func tokenPattern(least int) string {
	return fmt.Sprintf("^[A-Za-z0-9_-]{%d,%d}$", least, events.MaxToken)
}

// tokenIn is the part of a pattern that matches one token.
func tokenIn() string { return fmt.Sprintf("[A-Za-z0-9_-]{1,%d}", events.MaxToken) }

func str(about string, more ...member) obj {
	return obj{{"description", about}, {"type", "string"}}.with(more...)
}

func integer(about string, least int, more ...member) obj {
	return obj{{"description", about}, {"type", "integer"}, {"minimum", least}}.with(more...)
}

func at(most int) member { return member{"maximum", most} }

// token is the schema of an app, a call id, a command id or a service.
func token(about string) obj {
	return str(fmt.Sprintf("%s 1 to %d characters of A-Z a-z 0-9 _ -.", about, events.MaxToken), member{"pattern", tokenPattern(1)})
}

// name is the schema of a user id, device id or room id.
func name(about string) obj {
	return str(fmt.Sprintf("%s 1 to %d bytes of UTF-8 without control characters; "+
		"maxLength counts characters, so text that is not ASCII reaches the limit before it.", about, events.MaxName),
		member{"minLength", 1}, member{"maxLength", events.MaxName}, member{"pattern", noControls})
}

func userName(about string) obj {
	return str(fmt.Sprintf("%s At most %d bytes of UTF-8 without control characters; maxLength counts characters.", about, events.MaxUserName),
		member{"maxLength", events.MaxUserName}, member{"pattern", noControls})
}

func avatar(about string) obj {
	return str(fmt.Sprintf("%s An https URL of at most %d bytes of ASCII without spaces, quotes and backslashes.", about, events.MaxAvatar),
		member{"maxLength", events.MaxAvatar}, member{"pattern", events.AvatarPattern})
}

func customData(about string) obj {
	return str(fmt.Sprintf("%s An opaque string of the app, at most %d bytes as written between its quotes in the JSON "+
		"(with escapes); maxLength counts characters.", about, events.MaxCustomData),
		member{"maxLength", events.MaxCustomData})
}

func dateTime(about string) obj {
	return str(about+" RFC 3339, UTC, exactly three fraction digits.",
		member{"format", "date-time"}, member{"pattern", timePattern})
}

func callType(about string) obj {
	return obj{
		{"description", about + " 0 is voice, 1 is video. Ringline only passes it on."},
		{"type", "integer"},
		{"enum", []events.CallType{events.CallTypeVoice, events.CallTypeVideo}},
		{"enumDescriptions", []string{"voice", "video"}},
	}
}

func constant[T ~string](value T, about string) obj {
	return str(about, member{"const", value})
}

// oneOf is the schema of a closed set of words, each with its meaning.
func oneOf[T ~string](about string, words []T, meaning func(T) string) obj {
	meanings := make([]string, len(words))
	for i, w := range words {
		meanings[i] = meaning(w)
	}
	return str(about, member{"enum", words}, member{"enumDescriptions", meanings})
}

// unsettable makes a string of a command optional: the empty string counts as unset.
func unsettable(schema obj) obj {
	out := obj{}
	for _, m := range schema {
		switch {
		case m.key == "minLength":
			continue
		case m.key == "pattern" && m.value == tokenPattern(1):
			m.value = tokenPattern(0)
		case m.key == "pattern" && m.value == events.AvatarPattern:
			m.value = "^(?:" + events.AvatarPattern[1:len(events.AvatarPattern)-1] + ")?$"
		case m.key == "description":
			m.value = m.value.(string) + " The empty string counts as unset."
		}
		out = append(out, m)
	}
	return out
}
