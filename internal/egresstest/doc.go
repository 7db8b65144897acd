// Package egresstest is a world for tests in which every address answers: a
// network namespace whose every address, of the internet too, is this machine's,
// with a canary that listens on all of them. What a test finds silent there was
// not asked, and not just out of reach.
package egresstest
