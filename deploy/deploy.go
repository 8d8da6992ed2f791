// Package deploy holds the files by which hospay is run, so that the program
// itself can lay them out: the unit of systemd, its environment, nginx.
package deploy

import _ "embed"

// Unit is the unit of systemd as the package of Debian installs it.
//
//go:embed hospay.service
var Unit string

// Alerts are the alert rules, for Prometheus and for the program itself.
//
//go:embed prometheus-alerts.yml
var Alerts string

// Environment is the file of settings that setup fills in, with a line of
// explanation each.
//
//go:embed hospay.env
var Environment string
