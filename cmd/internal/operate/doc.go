// Package operate holds the commands of an operator: setup, config, app, token and version.
package operate
