// Package storage watches the fill levels of the streams, so that existing calls continue when storage runs out.
//
// What it promises:
//
//  1. It asks the broker in the background, with a timeout. Admit, Levels and LostTail never block.
//  2. From 80 % of RINGLINE_CALLS, RINGLINE_TIMERS, RINGLINE_LINES or RINGLINE_COMMANDS on, Admit refuses invitations
//     and adds. The rest is reserved for existing calls, so that they can be answered, declined, left, ended and timed
//     out.
//  3. Between two looks it adds the bytes that the admitted commands may take, so that a small stream does not
//     overflow.
//  4. An unknown level refuses nothing.
package storage
