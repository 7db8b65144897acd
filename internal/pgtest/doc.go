// Package pgtest lends tests a schema of their own in the PostgreSQL server that
// PICTIFYD_TEST_POSTGRES names, servers of their own that they may kill, and a
// proxy that fails as networks do.
package pgtest
