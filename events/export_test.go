package events

// FieldsOfCommand lists the fields of a command.
func FieldsOfCommand(v Verb) []string { return commandFields(v) }
