// Package play makes calls of all kinds as apps do, over subjects and over the api, and takes down everything that is
// sent, answered and told.
package play
