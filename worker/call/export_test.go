package call

import "ringline.io/ringline/events"

// Most is what an invite or add reserves.
func Most(t events.Transition) int { return most(t) }
