# The facts that say from where a machine takes its systems, or null where it is replaced instead.
{
  hasFields,
  require,
  ruled,
}:
where: given:
if given == null then
  null
else
  require "${where}: update" [
    (hasFields [ "containerUrl" "publicKey" "reboot" "keep" ] given)
    (ruled "publicKey" "nixPublicKey" given.publicKey)
  ] given
