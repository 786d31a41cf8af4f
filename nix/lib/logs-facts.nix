# The facts that say which journal a machine hands out, and to whom; null where it hands out none.
{
  hasFields,
  require,
  ruled,
}:
where: given:
if given == null then
  null
else
  require "${where}: logs" (
    [
      (hasFields [ "units" "recipients" ] given)
      {
        ok = given.recipients != [ ];
        message = "recipients must be age and SSH public keys, and there is none";
      }
    ]
    ++ map (ruled "units" "service") given.units
  ) given
