package main

import (
	"fmt"

	"ringline.io/ringline/events"
)

// transitions returns the schemas of the CloudEvents on a call's subject and in the event log, one per event and
// stored format.
func transitions() map[string]obj {
	all := map[string]obj{}
	for _, e := range events.Events() {
		for format := 1; format <= events.NewestFormat; format++ {
			if !e.In(format) {
				continue
			}
			all[versioned("call/"+string(e), format)] = transition(e, format)
		}
	}
	return all
}

// versioned returns the name of a schema that has several versions.
func versioned(name string, version int) string {
	if version == 1 {
		return name
	}
	return fmt.Sprintf("%s/v%d", name, version)
}

// titled returns the title of a schema that has several versions.
func titled(title string, version int) string {
	if version == 1 {
		return title + " (format 1)"
	}
	return title
}

func transition(e events.Event, format int) obj {
	typ := fmt.Sprintf("io.ringline.call.%s.v%d", e, format)
	about := eventMeaning(e)
	if format == 1 {
		about += " Only for calls that began before format 2."
	}
	return open(titled("Transition "+string(e), format), about+" A CloudEvents 1.0 event in structured JSON.",
		need("specversion", constant("1.0", "The version of CloudEvents.")),
		need("id", str("<call>-<seq>. Unique together with source.", member{"pattern", "^" + tokenIn() + "-[1-9][0-9]*$"})),
		need("source", str("/ringline/<app>.", member{"pattern", "^/ringline/" + tokenIn() + "$"})),
		need("type", constant(typ, "What happened, and the version of its schema.")),
		need("subject", token("The call id.")),
		need("time", dateTime("When the command that caused it was stored. For a deadline, when it was processed.")),
		need("datacontenttype", constant("application/json", "The media type of data.")),
		need("dataschema", constant("https://ringline.io/schemas/"+schemaPath(versioned("call/"+string(e), format)), "The $id of this schema.")),
		need("sequence", str("seq in ten digits.", member{"pattern", "^[0-9]{10}$"})),
		need("causationid", token("The id of the command that caused it.")),
		need("data", transitionData(e, format)),
	)
}

func transitionData(e events.Event, format int) obj {
	changed := member{"minItems", 1}
	if changesNothing(e) {
		changed = member{"maxItems", 0}
	}
	fields := []field{
		need("event", constant(e, "What happened.")),
		need("seq", integer("Counts the call's transitions from 1.", 1)),
		need("by", is("part/by", "The actor that caused it.")),
		need("changes", list(obj{{"$ref", ref(versioned("part/change", format))}}, "What it changed for each party: the caller first, then the callees in their order.", changed)),
	}
	if carriesData(e) {
		fields = append(fields, may("custom_data", customData("That of the command.")))
	}
	fields = append(fields,
		need("call", is(versioned("view", format), "The whole call after it.")),
		need("commands", list(obj{{"$ref", ref("part/remembered")}}, "The commands that the call remembers, the oldest first.")),
	)
	return open("", "The transition itself.", fields...)
}
