"""What this computer can give: processors, memory, disk, GPUs, directories, network."""
