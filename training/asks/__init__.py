"""The advocacy funnel: the chance that who is asked says yes, learnt from asks alone, for all who may be asked.

Who was never asked has no label: not no. Asks are not drawn at random, so each ask counts for those like it who were not
asked (``weights``): by one over the chance of being asked, which all eligible account-months tell of. And whoever asks knows
more than the records: of accounts that look alike, the willing are taken to be the ones asked.
"""
