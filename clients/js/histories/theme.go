package main

import (
	"slices"
	"time"

	"ringline.io/ringline/events"
)

// theme describes a file: the number of cases, the users, their moves, and the disturbances of the frames.
type theme struct {
	name            string
	cases           int
	people, callees int
	steps           int
	moves           []weight
	inviters        float64 // how often a participant invites where they may
	reload          float64 // how often a device joins in the middle
	sleep           float64 // how often everything pauses for 40 h
	rates           rates
	begin           func(*world) // runs first
	wants           []string     // the rare situations that must occur, each in as many cases as there are
}

const sleeps = 40 * time.Hour

// pairs are the moves of two people who mostly finish what they begin.
func pairs() []weight {
	return []weight{
		{moveInvite, 2},
		{moveRing, 5},
		{moveAccept, 5},
		{moveDecline, 2},
		{moveCancel, 1},
		{moveLeave, 2},
		{moveEnd, 1},
		{moveWait, 1},
		{moveRepeat, 1},
	}
}

// groups are the moves of groups whose calls last.
func groups() []weight {
	return []weight{
		{moveInvite, 1},
		{moveRing, 7},
		{moveAccept, 6},
		{moveDecline, 5},
		{moveCancel, 2},
		{moveLeave, 2},
		{moveEnd, 1},
		{moveAdd, 3},
		{moveAgain, 3},
		{moveWait, 1},
		{moveRepeat, 1},
		{moveFence, 1},
	}
}

// crossings are the moves of two people who call each other.
func crossings() []weight {
	return append(pairs(), weight{moveCross, 4}, weight{moveInvite, 4}, weight{moveRepeat, 4})
}

// joinsAndLeaves are the moves of groups whose members come and go.
func joinsAndLeaves() []weight {
	return append(groups(), weight{moveAgain, 8}, weight{moveAdd, 4}, weight{moveAccept, 8}, weight{moveLeave, 4})
}

func themes() []theme {
	return []theme{
		{name: "calm", cases: 40, people: 4, callees: 3, steps: 12, moves: groups(), inviters: 0.3, reload: 0.2},
		{
			name: "drops", cases: 40, people: 4, callees: 3, steps: 14, moves: groups(), inviters: 0.3, reload: 0.1,
			rates: rates{drop: 0.4, snapshot: 0.1},
		},
		{
			name: "repeats", cases: 30, people: 4, callees: 2, steps: 10, moves: groups(), inviters: 0.3, reload: 0.1,
			rates: rates{repeat: 0.9},
		},
		{
			name: "reorders", cases: 36, people: 4, callees: 3, steps: 12, moves: groups(), inviters: 0.3, reload: 0.1,
			rates: rates{reorder: 0.6},
		},
		{
			name: "snapshots", cases: 42, people: 4, callees: 2, steps: 10, moves: groups(), inviters: 0.3, reload: 0.4,
			rates: rates{drop: 0.2, snapshot: 0.9},
		},
		{
			name: "reconnects", cases: 50, people: 4, callees: 3, steps: 20, moves: groups(), inviters: 0.3, reload: 0.1,
			sleep: 0.1, rates: rates{outage: 0.35},
		},
		{
			name: "reinvites", cases: 40, people: 4, callees: 2, steps: 20, moves: joinsAndLeaves(), inviters: 0.8,
			rates: rates{drop: 0.1, outage: 0.15},
		},
		{
			name: "glare", cases: 40, people: 2, callees: 1, steps: 10, moves: crossings(), inviters: 0.3, reload: 0.1,
			rates: rates{drop: 0.05, repeat: 0.05, reorder: 0.1, outage: 0.1},
		},
		{
			name: "anew", cases: 3, people: 4, callees: 2, steps: 4, moves: joinsAndLeaves(), inviters: 0.5,
			rates: rates{outage: 0.05}, begin: rejoins, wants: []string{inAgain},
		},
		{
			name: "rare", cases: 3, people: 4, callees: 3, steps: 24, moves: joinsAndLeaves(), inviters: 0.6, reload: 0.1,
			rates: rates{drop: 0.1, snapshot: 0.1, outage: 0.2}, wants: without(rarities(), inAgain, mergedHere),
		},
		{
			name: "storm", cases: 29, people: 5, callees: 4, steps: 24, moves: groups(), inviters: 0.4, reload: 0.2,
			sleep: 0.02, rates: rates{drop: 0.15, repeat: 0.25, reorder: 0.3, snapshot: 0.15, outage: 0.1},
		},
	}
}

func without(list []string, some ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return slices.Contains(some, s) })
}

// rejoins makes bob invite eve into a call, leave it, and rejoin with another device.
func rejoins(w *world) {
	h := w.newCall()
	names := func(cmd events.Command, user string) events.Command {
		cmd.Callees = w.parties([]string{user})
		return cmd
	}
	for _, cmd := range []events.Command{
		names(command(events.VerbInvite, "ann", "d1"), "bob"),
		command(events.VerbAccept, "bob", "d1"),
		names(command(events.VerbAdd, "bob", "d1"), "eve"),
		command(events.VerbAccept, "eve", "d1"),
		command(events.VerbLeave, "bob", "d1"),
		names(command(events.VerbAdd, "ann", "d1"), "bob"),
		command(events.VerbAccept, "bob", "d2"),
	} {
		w.pass(time.Second)
		w.do(h, cmd, 0)
	}
}
