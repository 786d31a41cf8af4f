# A mistake in an option, and the exact words of the assertion that answers it.
import ./refusals/machine.nix
// import ./refusals/onion-service.nix
// import ./refusals/secrets.nix
// import ./refusals/vault-agent.nix
