// Package storage watches how full the streams are, so that calls which exist go on when storage runs out.
//
// What it promises:
//
//  1. It asks the broker in the background, each time for a bounded time. What others ask of a Watch never waits.
//  2. From 80 % of RINGLINE_CALLS, RINGLINE_TIMERS, RINGLINE_LINES or RINGLINE_COMMANDS on, Admit refuses invitations and adds.
//     The rest is for the calls that exist: they are answered, declined, left, ended and timed out.
//  3. Between two looks it counts what the commands that it let in may take, so a small stream is not overrun.
//  4. What it does not know refuses nothing.
package storage
