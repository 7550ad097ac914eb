// Package quota limits what apps and users may do, over all edges and all coordinators. Coordinators enforce the limits,
// because every command passes one of them.
//
// Guarantees:
//
//  1. Over all coordinators, an app may send exactly its setting in commands and bytes per second while their number is stable.
//     It may send between half and twice its setting while up to half of the coordinators leave, or as many join, at once. Each
//     coordinator enforces the setting divided by their number, which it knows from heartbeats.
//  2. Each app has its own quota, which other apps can't use up.
//  3. Invitations and adds may use at most 80 % of a quota. The rest is for commands that answer or end calls.
//  4. A command that a quota refuses takes nothing from any quota. Hang-ups and answers are refused only if they alone exceed
//     the whole quota, even while invitations are in flight. An admitted invitation is charged the maximum cost, and receives
//     the unused part back.
//  5. Users have limits for commands of client sessions. One user can use only a small part of the app's quota, even with
//     commands that find no call, so other users can continue. A backend is limited only by the quota of its app.
//  6. A backlog counts by the times at which its commands were stored, not by the time at which it is handled.
//  7. A process passes on fewer commands of an app if coordinators refuse them. A flood of commands that are stored only to be
//     refused therefore stops at the process that receives it.
//  8. The memory use is bounded, whatever the number of apps and users.
package quota
