//go:build cure_slot_heartbeat_off

package cures

// Fails: ./connectors/postgres/slot TestHeartbeatLetsTheServerForgetWhatOthersWrote
var _ = off(&TransactionalHeartbeat)
