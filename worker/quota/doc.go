// Package quota bounds what apps and users may do, over all edges and all coordinators. Coordinators enforce it, as every
// command passes one of them.
//
// What it promises:
//
//  1. Over all coordinators an app sends between half and twice its setting in commands and bytes a second, while up to half
//     of the coordinators leave, or as many join, at once; exactly its setting while none does. Each coordinator enforces the
//     setting divided by their number, which it knows from heartbeats.
//  2. An app's quota is its own: what one app does takes nothing from another.
//  3. Invitations and adds get at most 80 % of a quota. The rest is for commands that answer or end calls.
//  4. A command that a quota refuses takes nothing from any quota. A hang-up or an answer is refused only where more of them are
//     sent than the whole quota allows, also while invitations are under way: those are charged the most that they may take
//     when they are let in, and get back what they did not take.
//  5. Users are limited where they send from client sessions. One user takes so little of the app's quota that others can go on,
//     also with commands that find no call. A backend is limited by the quota of its app only.
//  6. A backlog is counted as it came: by the time at which each command was stored.
//  7. What coordinators refuse is passed on less and less: a flood of commands that are stored only to be refused stays at the
//     process where it comes in.
//  8. The memory that it uses is bounded, whatever the number of apps and users.
package quota
