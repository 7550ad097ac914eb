package composetest

// metric is one that the workers show. A label without words may hold any.
type metric struct {
	histogram bool
	labels    map[string][]string
}

// metrics are those that an alert may ask for, by name. This is the one place that says so.
func metrics() map[string]metric {
	consumer := []string{"coordinators", "timeouts"}
	verb := []string{"invite", "add", "ring", "accept", "decline", "cancel", "leave", "end", "expire", "unknown"}
	reason := []string{
		"claim_in_flight", "conflicts", "no_call_yet", "early_expire", "store", "expire_not_stored", "worker_ends", "defect",
	}
	return map[string]metric{
		"ringline_commands_total":         {labels: map[string][]string{"verb": verb, "outcome": nil}},
		"ringline_redeliveries_total":     {labels: map[string][]string{"consumer": consumer}},
		"ringline_put_backs_total":        {labels: map[string][]string{"consumer": consumer, "reason": reason}},
		"ringline_conflicts_total":        {},
		"ringline_takeovers_total":        {},
		"ringline_garbage_total":          {labels: map[string][]string{"where": {"call", "line", "due", "app"}}},
		"ringline_rejected_total":         {labels: map[string][]string{"verb": verb}},
		"ringline_sweep_overdue_total":    {},
		"ringline_errors_total":           {labels: map[string][]string{"component": nil}},
		"ringline_command_seconds":        {histogram: true, labels: map[string][]string{"verb": verb}},
		"ringline_step_seconds":           {histogram: true, labels: map[string][]string{"step": nil}},
		"ringline_timer_lateness_seconds": {histogram: true},
		"ringline_backlog_messages":       {labels: map[string][]string{"consumer": consumer}},
		"ringline_backlog_unacknowledged": {labels: map[string][]string{"consumer": consumer}},
		"ringline_build_info":             {labels: map[string][]string{"version": nil}},
	}
}
