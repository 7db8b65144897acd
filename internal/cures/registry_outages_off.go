//go:build cure_registry_outages_off

package cures

// Fails: ./connectors/kafka/value TestRegistryThatIsAwayIsNoFault
var _ = off(&RegistryOutages)
