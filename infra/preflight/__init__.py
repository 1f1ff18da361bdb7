"""What AWS would refuse, found without AWS: each check reads or rehearses a part of the way there."""
