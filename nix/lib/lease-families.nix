# Address families of a unit that runs afterburn: it lists the network's interfaces over netlink to find the DHCP lease
# that names the wire server. Without AF_NETLINK it finds none, and looks sixty times before it takes the known address.
[
  "AF_UNIX"
  "AF_INET"
  "AF_INET6"
  "AF_NETLINK"
]
